/** Where a connection stands. */

/** For connect(), or between two attempts. */
export const WAITING = 0;
/** Up to CONNACK. */
export const CONNECTING = 1;
/** From CONNACK to SUBACK. */
export const SUBSCRIBING = 2;
export const ONLINE = 3;

/** A connection that lasted this long was a success: its broker is stayed with, back-off starts over. */
export const STABLE_S = 60;
/** A connect call that took this long stopped all else on the device: the longest pause follows. */
export const BLOCKED_S = 5;
/** The protocol's limit of a session or provisioning message upward. */
export const MAX_PAYLOAD = 4096;
/** From opening the connection until SUBACK. A blocked connect alone takes about 20 s on ESP32. */
export const CONNECT_MS = 45000;
/** A broker that answers pings but not a PUBLISH for this long has lost it. */
export const ACKNOWLEDGE_TIMEOUT_S = 60;
/** Bytes of replies that may wait for the socket: two packets of 4 for each of MAX_INBOUND. */
export const MAX_REPLIES = 256;
/**
 * Looks at the connection in one keepAlive of 1,000 ms: packets go out at least every
 * two looks, within keepAlive; silence is noticed after three, 1.2 times keepAlive.
 */
export const LOOK_MS = 400;
/**
 * After so many connections in a row that opened and were not stable, one more only ends the broker's
 * session. From one such to the next the turn goes on by one less: 5 is prime to 2, 3 and 4, so among
 * up to four brokers it comes to each.
 */
export const UNSTABLE_BEFORE_CLEAN = 6;
/**
 * A connection on which all is well is ended after a day, and the next follows within a second: only
 * SUBSCRIBE mends a subscription that is lost where nothing is missed.
 */
export const RENEW_S = 86400;

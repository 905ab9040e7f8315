/**
 * What a certificate allows its holder is one private object identifier in a critical
 * extended key usage: nothing else that trusts the same root takes the certificate for
 * something it is not. The arcs under 2.25 are UUIDs (ITU-T X.667), so they need no registrar.
 */

/** Opens what devices seal: session messages, events, enrolments. */
export const CLOUD_ROLE = "2.25.209484271763276853698770871316018577330";
/** Signs `enrolled`, nothing else. */
export const REGISTRAR_ROLE = "2.25.251205572291442494154849123975801544158";
/** Signs `command`, nothing else. */
export const PROVISIONER_ROLE = "2.25.62448547427814342564450456557265515024";
/** Signs as one device. */
export const DEVICE_ROLE = "2.25.98600036759027319575089637586186639967";

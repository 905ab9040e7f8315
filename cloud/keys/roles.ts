/**
 * What a certificate allows its holder is one private object identifier in a critical
 * extended key usage: nothing else that trusts the same root takes the certificate for
 * something it is not. The arcs under 2.25 are UUIDs (ITU-T X.667), so they need no registrar.
 */

/** Opens session messages. */
export const CLOUD_ROLE = "2.25.209484271763276853698770871316018577330";

#ifndef DC_ERROR_H
#define DC_ERROR_H

/* What a function of dc.h returns: 0, one of these, or DC_ABSENT where it says so. */

/** A size, a point or a flag outside what the function takes. */
#define DC_ERR_ARGUMENT (-1)
/** The handle names no key, its usage forbids this, or all slots are taken. */
#define DC_ERR_KEY (-2)
/** The random source failed. */
#define DC_ERR_RANDOM (-3)
/** The store failed, or the device key record is damaged beyond repair. */
#define DC_ERR_STORE (-4)
/** A sequence number or the device counter is at its limit, used or not reserved. */
#define DC_ERR_SEQUENCE (-5)
/** A tag or a key wrap does not verify. */
#define DC_ERR_DECRYPT (-6)
/** What was decrypted is authentic but not a prefix and a key. */
#define DC_ERR_FORM (-7)
/** The signature is not the public key's over the message. */
#define DC_ERR_SIGNATURE (-8)
/** mbedTLS could not get memory. */
#define DC_ERR_MEMORY (-9)
/** The port offers no such thing: no flash for the ring, no erase_all. */
#define DC_ERR_UNSUPPORTED (-10)

/*
 * Why a certificate is refused, one status for each cause (dc_verify_certificate);
 * in the order of the checks, so that the first one that applies is returned.
 */
/** The anchor is no certificate of a P-256 CA with keyCertSign. */
#define DC_ERR_CERTIFICATE_ANCHOR (-32)
/** Not one certificate in DER: cut, trailing bytes, another length form, another shape. */
#define DC_ERR_CERTIFICATE_ENCODING (-33)
/** Not version 3. */
#define DC_ERR_CERTIFICATE_VERSION (-34)
/** Not ecdsa-with-SHA256 in both places. */
#define DC_ERR_CERTIFICATE_ALGORITHM (-35)
/** The issuer's name is not the anchor's subject, byte for byte. */
#define DC_ERR_CERTIFICATE_ISSUER (-36)
/** A date that is none, or notAfter before notBefore. */
#define DC_ERR_CERTIFICATE_VALIDITY (-37)
/** notAfter is before the time floor. */
#define DC_ERR_CERTIFICATE_EXPIRED (-38)
/** notBefore is before "issued not before": revoked by a newer one. */
#define DC_ERR_CERTIFICATE_TOO_OLD (-39)
/** The public key is no point of P-256. */
#define DC_ERR_CERTIFICATE_PUBLIC_KEY (-40)
/** Subject and issuer are the same, or the key is the anchor's: no leaf. */
#define DC_ERR_CERTIFICATE_SELF_ISSUED (-41)
/** An extension stands twice. */
#define DC_ERR_CERTIFICATE_DUPLICATE_EXTENSION (-42)
/** A critical extension that is not judged here. */
#define DC_ERR_CERTIFICATE_CRITICAL_EXTENSION (-43)
/** cA is true. */
#define DC_ERR_CERTIFICATE_CA (-44)
/** No key usage. */
#define DC_ERR_CERTIFICATE_KEY_USAGE_ABSENT (-45)
/** A key usage other than exactly the bit that is required. */
#define DC_ERR_CERTIFICATE_KEY_USAGE (-46)
/** No extended key usage. */
#define DC_ERR_CERTIFICATE_ROLE_ABSENT (-47)
/** The extended key usage is not critical. */
#define DC_ERR_CERTIFICATE_ROLE_NOT_CRITICAL (-48)
/** The extended key usage is another than exactly the role that is required. */
#define DC_ERR_CERTIFICATE_ROLE (-49)
/** The signature is not the anchor's. */
#define DC_ERR_CERTIFICATE_SIGNATURE (-50)

/** Returned instead of 0 where there is nothing: no such record, no such entry. */
#define DC_ABSENT 1

#endif

#ifndef DC_STATUS_H
#define DC_STATUS_H

/*
 * What a DC_ERR_* is called in JavaScript, for every host the same: the code of
 * protocol/errors.ts, a sentence (thing, expected, got) to put after the name of the
 * function, and for a certificate the cause, which becomes the error's `cause`.
 */

#include <stddef.h>

#include "dc.h"

struct dc_meaning {
  int status;
  const char *code;
  const char *sentence;
  const char *cause; /* of a certificate; NULL otherwise */
};

static inline const struct dc_meaning *dc_meaning(int status) {
  static const struct dc_meaning meanings[] = {
      {DC_ERR_ARGUMENT, "argument",
       "argument, expected a known usage, a point of P-256, a valid id and the sizes of dc.h, got another", NULL},
      {DC_ERR_KEY, "key",
       "key, expected a live one that may be used for this, or room for a new one, got a dead handle, a "
       "forbidden use or full slots", NULL},
      {DC_ERR_RANDOM, "random", "random source, expected bytes, got a failure", NULL},
      {DC_ERR_STORE, "store", "store, expected it whole and writable, got a failure", NULL},
      {DC_ERR_SEQUENCE, "sequence",
       "number, expected the one just reserved and below the limit, got another", NULL},
      {DC_ERR_DECRYPT, "decrypt", "tag or key wrap, expected it to verify, got another", NULL},
      {DC_ERR_FORM, "form", "plaintext, expected the prefix and a key, got another length", NULL},
      {DC_ERR_SIGNATURE, "signature",
       "signature, expected the public key's over the message, got another", NULL},
      {DC_ERR_MEMORY, "memory", "memory, expected enough for the calculation, got none", NULL},
      {DC_ERR_UNSUPPORTED, "unsupported",
       "port, expected it to offer this, got one without", NULL},
      {DC_ERR_CERTIFICATE_ANCHOR, "certificate",
       "anchor, expected a P-256 CA certificate with keyCertSign, got another", "anchor"},
      {DC_ERR_CERTIFICATE_ENCODING, "certificate",
       "certificate, expected one in DER, got something else", "encoding"},
      {DC_ERR_CERTIFICATE_VERSION, "certificate",
       "certificate, expected version 3, got another", "version"},
      {DC_ERR_CERTIFICATE_ALGORITHM, "certificate",
       "certificate, expected ecdsa-with-SHA256, got another algorithm", "algorithm"},
      {DC_ERR_CERTIFICATE_ISSUER, "certificate",
       "issuer, expected the subject of the anchor, got another name", "issuer"},
      {DC_ERR_CERTIFICATE_VALIDITY, "certificate",
       "validity, expected two dates in order, got others", "validity"},
      {DC_ERR_CERTIFICATE_EXPIRED, "certificate",
       "notAfter, expected the time floor or later, got an earlier time", "expired"},
      {DC_ERR_CERTIFICATE_TOO_OLD, "certificate",
       "notBefore, expected issued-not-before or later, got an earlier time", "too-old"},
      {DC_ERR_CERTIFICATE_PUBLIC_KEY, "certificate",
       "public key, expected a point of P-256, got another", "public-key"},
      {DC_ERR_CERTIFICATE_SELF_ISSUED, "certificate",
       "certificate, expected a leaf, got the anchor or one of its own", "self-issued"},
      {DC_ERR_CERTIFICATE_DUPLICATE_EXTENSION, "certificate",
       "extension, expected each once, got one twice", "duplicate-extension"},
      {DC_ERR_CERTIFICATE_CRITICAL_EXTENSION, "certificate",
       "critical extension, expected a known one, got another", "critical-extension"},
      {DC_ERR_CERTIFICATE_CA, "certificate",
       "certificate, expected cA false, got a CA", "ca"},
      {DC_ERR_CERTIFICATE_KEY_USAGE_ABSENT, "certificate",
       "key usage, expected one, got none", "key-usage-absent"},
      {DC_ERR_CERTIFICATE_KEY_USAGE, "certificate",
       "key usage, expected exactly the required bit, got others", "key-usage"},
      {DC_ERR_CERTIFICATE_ROLE_ABSENT, "certificate",
       "extended key usage, expected one, got none", "role-absent"},
      {DC_ERR_CERTIFICATE_ROLE_NOT_CRITICAL, "certificate",
       "extended key usage, expected it critical, got it not", "role-not-critical"},
      {DC_ERR_CERTIFICATE_ROLE, "certificate",
       "extended key usage, expected exactly the required role, got others", "role"},
      {DC_ERR_CERTIFICATE_SIGNATURE, "certificate",
       "certificate, expected the anchor's signature, got another", "signature"},
  };
  for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
    if (meanings[i].status == status) return &meanings[i];
  return &meanings[0];
}

#endif

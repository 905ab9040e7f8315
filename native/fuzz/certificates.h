#ifndef DC_FUZZ_CERTIFICATES_H
#define DC_FUZZ_CERTIFICATES_H

/* Certificates to start from: an anchor and a leaf below it. */

#include "host.h"

#define CERTIFICATE_MAX 1024u

/** The role of the leaf: 2.25.1.2.3, the contents of the object identifier. */
extern const struct dc_bytes certificate_role;

struct authority {
  dc_handle key; /* signs */
  uint8_t anchor[CERTIFICATE_MAX], leaf[CERTIFICATE_MAX];
  size_t anchor_size, leaf_size;
};

/** Makes both; valid from 2020 to 2049, the leaf with digitalSignature. */
void make_authority(struct dc *dc, struct authority *authority);
/** Puts the authority's signature over whatever the certificate says; 0 when it has no tbsCertificate. */
int sign_again(struct dc *dc, const struct authority *authority, uint8_t *certificate,
               size_t *size);

#endif

/*
 * dc_verify_certificate: any bytes, and a genuine leaf with a mask, signed again after it
 * or not. Where mbedTLS can read an accepted leaf as well, it has to agree.
 *   mode, then the leaf, or a mask over it and over the anchor
 */
#include "certificates.h"

#include <mbedtls/x509_crt.h>

#define IN_2030 1893456000
#define IN_2060 2840140800

struct scene {
  struct host host;
  struct dc dc;
  struct authority authority;
};

static struct scene *scene(void) {
  static struct scene s;
  static int ready;
  if (ready) return &s;
  host_init(&s.host);
  struct dc_port port = host_port(&s.host);
  dc_init(&s.dc, &port);
  make_authority(&s.dc, &s.authority);
  ready = 1;
  return &s;
}

/* What mbedTLS reads must be what we judged. Names and extensions that we step over it may refuse. */
static void ask_mbedtls(struct dc_bytes leaf, struct dc_bytes anchor,
                        const struct dc_certificate_rules *rules,
                        const struct dc_certificate *certificate) {
  mbedtls_x509_crt theirs, trusted;
  uint32_t flags = 0;
  mbedtls_x509_crt_init(&theirs);
  mbedtls_x509_crt_init(&trusted);
  if (mbedtls_x509_crt_parse_der(&theirs, leaf.data, leaf.length) == 0 &&
      mbedtls_x509_crt_parse_der(&trusted, anchor.data, anchor.length) == 0) {
    const char *id = (const char *)rules->role.data;
    uint8_t point[DC_POINT_SIZE];
    size_t length;
    mbedtls_ecp_keypair *key = mbedtls_pk_ec(theirs.pk);
    MUST(theirs.version == 3 && theirs.ca_istrue == 0);
    MUST(theirs.key_usage == rules->key_usage);
    MUST(mbedtls_x509_crt_check_extended_key_usage(&theirs, id, rules->role.length) == 0);
    MUST(mbedtls_ecp_point_write_binary(&key->grp, &key->Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &length,
                                        point, sizeof point) == 0);
    MUST(memcmp(point, certificate->public_key, sizeof point) == 0);
    mbedtls_x509_crt_verify(&theirs, &trusted, NULL, NULL, &flags, NULL, NULL);
    flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    MUST(flags == 0);
  }
  mbedtls_x509_crt_free(&theirs);
  mbedtls_x509_crt_free(&trusted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct scene *s = scene();
  struct input input = {data, size};
  uint8_t leaf[CERTIFICATE_MAX], anchor[CERTIFICATE_MAX];
  size_t leaf_size = s->authority.leaf_size;
  uint8_t mode = take_byte(&input);
  int changed = 1;
  memcpy(leaf, s->authority.leaf, leaf_size);
  memcpy(anchor, s->authority.anchor, s->authority.anchor_size);
  if (mode & 1) {
    changed = take_mask(&input, leaf, leaf_size);
    if (take_mask(&input, anchor, s->authority.anchor_size)) changed = 1;
  } else {
    struct dc_bytes bytes = take(&input, CERTIFICATE_MAX);
    leaf_size = bytes.length;
    if (leaf_size > 0) memcpy(leaf, bytes.data, leaf_size);
  }
  if (mode & 2 && sign_again(&s->dc, &s->authority, leaf, &leaf_size)) changed = 1;
  struct dc_certificate_rules rules = {certificate_role, DC_KEY_USAGE_DIGITAL_SIGNATURE, 0, 0};
  if (mode & 4) rules.key_usage = DC_KEY_USAGE_KEY_AGREEMENT;
  if (mode & 8) rules.time_floor = mode & 16 ? IN_2060 : IN_2030;
  if (mode & 32) rules.issued_not_before = IN_2030;
  struct dc_bytes leaf_bytes = {leaf, leaf_size}, anchor_bytes = {anchor, s->authority.anchor_size};
  struct dc_certificate certificate;
  int status = dc_verify_certificate(&s->dc, leaf_bytes, anchor_bytes, &rules, &certificate);
  MUST(status == 0 || (status <= DC_ERR_CERTIFICATE_ANCHOR && status >= DC_ERR_CERTIFICATE_SIGNATURE));
  if (!changed && (mode & (4 | 16 | 32)) == 0) MUST(status == 0);
  if (status == 0) {
    MUST(certificate.not_after >= rules.time_floor);
    MUST(certificate.not_before >= rules.issued_not_before);
    ask_mbedtls(leaf_bytes, anchor_bytes, &rules, &certificate);
  }
  return 0;
}

#include "certificates.h"

#include "der.h"

/* Written from the end to the front, so that every length is known when it is written. */
struct writer {
  uint8_t bytes[CERTIFICATE_MAX];
  size_t at;
};

static void put(struct writer *w, const void *bytes, size_t length) {
  MUST(w->at >= length);
  w->at -= length;
  memcpy(w->bytes + w->at, bytes, length);
}

static void put_byte(struct writer *w, size_t byte) {
  uint8_t one = (uint8_t)byte;
  put(w, &one, 1);
}

/* Tag and length before all that was written since `end`. */
static void wrap(struct writer *w, uint8_t tag, size_t end) {
  size_t length = end - w->at;
  if (length >= 0x100) {
    put_byte(w, length & 0xff);
    put_byte(w, length >> 8);
    put_byte(w, 0x82);
  } else {
    put_byte(w, length);
    if (length >= 0x80) put_byte(w, 0x81);
  }
  put_byte(w, tag);
}

static void put_element(struct writer *w, uint8_t tag, const void *bytes, size_t length) {
  size_t end = w->at;
  put(w, bytes, length);
  wrap(w, tag, end);
}

static const uint8_t ecdsa_with_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                            0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
static const uint8_t role[] = {0x69, 0x01, 0x02, 0x03};
const struct dc_bytes certificate_role = {role, sizeof role};

static const uint8_t true_value[] = {0x01, 0x01, 0xff};
/* Extensions as they stand in the list, without their SEQUENCE. */
static const uint8_t basic_constraints_ca[] = {0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff,
                                               0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xff};
static const uint8_t key_usage_ca[] = {0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01, 0x01, 0xff,
                                       0x04, 0x04, 0x03, 0x02, 0x02, 0x04};
static const uint8_t key_usage_leaf[] = {0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01, 0x01, 0xff,
                                         0x04, 0x04, 0x03, 0x02, 0x07, 0x80};
static const uint8_t extended_key_usage_id[] = {0x06, 0x03, 0x55, 0x1d, 0x25};

static void put_role(struct writer *w) {
  size_t end = w->at;
  put_element(w, DC_DER_OID, role, sizeof role);
  wrap(w, DC_DER_SEQUENCE, end);
  wrap(w, DC_DER_OCTET_STRING, end);
  put(w, true_value, sizeof true_value);
  put(w, extended_key_usage_id, sizeof extended_key_usage_id);
  wrap(w, DC_DER_SEQUENCE, end);
}

static void put_name(struct writer *w, const char *name) {
  static const uint8_t common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
  size_t end = w->at;
  put_element(w, 0x0c, name, strlen(name));
  put(w, common_name, sizeof common_name);
  wrap(w, DC_DER_SEQUENCE, end);
  wrap(w, 0x31, end);
  wrap(w, DC_DER_SEQUENCE, end);
}

static void put_integer(struct writer *w, const uint8_t *scalar, size_t length) {
  size_t end = w->at;
  while (length > 1 && scalar[0] == 0) scalar++, length--;
  put(w, scalar, length);
  if (scalar[0] >= 0x80) put_byte(w, 0);
  wrap(w, DC_DER_INTEGER, end);
}

static void put_extensions(struct writer *w, int is_ca) {
  size_t end = w->at;
  if (is_ca) {
    put_element(w, DC_DER_SEQUENCE, key_usage_ca, sizeof key_usage_ca);
    put_element(w, DC_DER_SEQUENCE, basic_constraints_ca, sizeof basic_constraints_ca);
  } else {
    put_role(w);
    put_element(w, DC_DER_SEQUENCE, key_usage_leaf, sizeof key_usage_leaf);
  }
  wrap(w, DC_DER_SEQUENCE, end);
  wrap(w, DC_DER_CONTEXT_3, end);
}

static void put_tbs(struct writer *w, const char *subject, const uint8_t *point, int is_ca) {
  static const uint8_t version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02}, serial = 5;
  size_t end = w->at;
  put_extensions(w, is_ca);
  put(w, point, DC_POINT_SIZE);
  put(w, p256_head, sizeof p256_head);
  put_name(w, subject);
  size_t validity = w->at;
  put_element(w, DC_DER_UTC_TIME, "491231235959Z", 13);
  put_element(w, DC_DER_UTC_TIME, "200101000000Z", 13);
  wrap(w, DC_DER_SEQUENCE, validity);
  put_name(w, "anchor");
  put(w, ecdsa_with_sha256, sizeof ecdsa_with_sha256);
  put_integer(w, &serial, 1);
  put(w, version_3, sizeof version_3);
  wrap(w, DC_DER_SEQUENCE, end);
}

/* A certificate from its tbsCertificate. */
static size_t finish(struct dc *dc, dc_handle key, struct dc_bytes tbs, uint8_t *out) {
  uint8_t signature[DC_SIGNATURE_SIZE];
  struct writer w;
  w.at = sizeof w.bytes;
  MUST(dc_sign_message(dc, key, tbs, signature) == 0);
  put_integer(&w, signature + DC_SCALAR_SIZE, DC_SCALAR_SIZE);
  put_integer(&w, signature, DC_SCALAR_SIZE);
  wrap(&w, DC_DER_SEQUENCE, sizeof w.bytes);
  put_byte(&w, 0);
  wrap(&w, DC_DER_BIT_STRING, sizeof w.bytes);
  put(&w, ecdsa_with_sha256, sizeof ecdsa_with_sha256);
  put(&w, tbs.data, tbs.length);
  wrap(&w, DC_DER_SEQUENCE, sizeof w.bytes);
  size_t size = sizeof w.bytes - w.at;
  memcpy(out, w.bytes + w.at, size);
  return size;
}

static size_t make(struct dc *dc, dc_handle key, const char *subject, const uint8_t *point,
                   int is_ca, uint8_t *out) {
  struct writer w;
  w.at = sizeof w.bytes;
  put_tbs(&w, subject, point, is_ca);
  struct dc_bytes tbs = {w.bytes + w.at, sizeof w.bytes - w.at};
  return finish(dc, key, tbs, out);
}

void make_authority(struct dc *dc, struct authority *authority) {
  uint8_t point[DC_POINT_SIZE];
  dc_handle leaf;
  MUST(dc_generate_key_pair(dc, DC_USAGE_SIGN, &authority->key) == 0);
  MUST(dc_export_public_key(dc, authority->key, point) == 0);
  authority->anchor_size = make(dc, authority->key, "anchor", point, 1, authority->anchor);
  MUST(dc_generate_key_pair(dc, DC_USAGE_SIGN, &leaf) == 0);
  MUST(dc_export_public_key(dc, leaf, point) == 0);
  authority->leaf_size = make(dc, authority->key, "leaf", point, 0, authority->leaf);
}

int sign_again(struct dc *dc, const struct authority *authority, uint8_t *certificate,
               size_t *size) {
  struct dc_bytes input = {certificate, *size}, contents, tbs;
  if (dc_der_read(&input, DC_DER_SEQUENCE, &contents) != 0 ||
      dc_der_read_whole(&contents, DC_DER_SEQUENCE, &tbs) != 0 || tbs.length > CERTIFICATE_MAX - 100)
    return 0;
  *size = finish(dc, authority->key, tbs, certificate);
  return 1;
}

#include "der.h"

#include <string.h>

/*
 * A leaf certificate right below the anchor. An own walk over the DER rather than
 * mbedTLS's parser: one form is accepted, so a few fields are all there is to read;
 * it needs no memory, is the same over 2.28 and 3.6, and does not say yes where an
 * extension is absent. Names and extensions that are not judged are stepped over as
 * whole elements; names only count byte for byte.
 */

/* Extensions of a certificate; ours have 5. */
#define EXTENSIONS_MAX 16u
/* RFC 5280 section 4.1.2.2 */
#define SERIAL_MAX 20u
/* The end of the year 9999, the last that a certificate can name. */
#define TIME_MAX 253402300799
#define KEY_CERT_SIGN 0x04u

static const uint8_t version_3[] = {0x02, 0x01, 0x02};
static const uint8_t ecdsa_with_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                            0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
/* SubjectPublicKeyInfo of P-256 up to the point (RFC 5480). */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
/* id-ce 15, 19 and 37 (RFC 5280 section 4.2.1) */
static const uint8_t key_usage_id[] = {0x55, 0x1d, 0x0f};
static const uint8_t basic_constraints_id[] = {0x55, 0x1d, 0x13};
static const uint8_t extended_key_usage_id[] = {0x55, 0x1d, 0x25};

/* The fields of a certificate, where they stand. */
struct fields {
  struct dc_bytes tbs, version, inner_algorithm, issuer, validity, subject, public_key;
  struct dc_bytes extensions, outer_algorithm, signature;
};

/* What its extensions say. `data` is NULL where there is none. */
struct extensions {
  size_t count;
  struct dc_bytes ids[EXTENSIONS_MAX];
  struct dc_bytes basic_constraints, key_usage, extended_key_usage;
  int role_is_critical, has_duplicate, has_unknown_critical;
};

static int equals(struct dc_bytes bytes, const uint8_t *constant, size_t size) {
  struct dc_bytes other = {constant, size};
  return dc_bytes_equal(bytes, other);
}

/* TBSCertificate, contents. Unique ids ([1], [2]) are of version 2 and not taken. */
static int read_tbs(struct dc_bytes tbs, struct fields *fields) {
  uint8_t serial[SERIAL_MAX];
  struct dc_bytes wrapper;
  int bad = 0;
  if (dc_der_is(tbs, DC_DER_CONTEXT_0)) bad |= dc_der_read(&tbs, DC_DER_CONTEXT_0, &fields->version);
  if (bad || dc_der_read_unsigned(&tbs, serial, sizeof serial) != 0 ||
      dc_der_read_whole(&tbs, DC_DER_SEQUENCE, &fields->inner_algorithm) != 0 ||
      dc_der_read_whole(&tbs, DC_DER_SEQUENCE, &fields->issuer) != 0 ||
      dc_der_read(&tbs, DC_DER_SEQUENCE, &fields->validity) != 0 ||
      dc_der_read_whole(&tbs, DC_DER_SEQUENCE, &fields->subject) != 0 ||
      dc_der_read_whole(&tbs, DC_DER_SEQUENCE, &fields->public_key) != 0)
    return -1;
  if (tbs.length == 0) return 0;
  if (dc_der_read(&tbs, DC_DER_CONTEXT_3, &wrapper) != 0 || tbs.length != 0) return -1;
  return dc_der_read(&wrapper, DC_DER_SEQUENCE, &fields->extensions) != 0 || wrapper.length != 0
             ? -1
             : 0;
}

static int read_fields(struct dc_bytes input, struct fields *fields) {
  struct dc_bytes certificate, tbs;
  memset(fields, 0, sizeof *fields);
  if (dc_der_read(&input, DC_DER_SEQUENCE, &certificate) != 0 || input.length != 0 ||
      dc_der_read_whole(&certificate, DC_DER_SEQUENCE, &fields->tbs) != 0 ||
      dc_der_read_whole(&certificate, DC_DER_SEQUENCE, &fields->outer_algorithm) != 0 ||
      dc_der_read(&certificate, DC_DER_BIT_STRING, &fields->signature) != 0 ||
      certificate.length != 0)
    return DC_ERR_CERTIFICATE_ENCODING;
  struct dc_bytes whole = fields->tbs;
  if (dc_der_read(&whole, DC_DER_SEQUENCE, &tbs) != 0 || read_tbs(tbs, fields) != 0)
    return DC_ERR_CERTIFICATE_ENCODING;
  return 0;
}

static int note_extension(struct extensions *all, struct dc_bytes id, int critical,
                          struct dc_bytes value) {
  if (all->count == EXTENSIONS_MAX) return -1;
  for (size_t i = 0; i < all->count; i++) all->has_duplicate |= dc_bytes_equal(all->ids[i], id);
  all->ids[all->count++] = id;
  if (equals(id, basic_constraints_id, sizeof basic_constraints_id))
    all->basic_constraints = value;
  else if (equals(id, key_usage_id, sizeof key_usage_id))
    all->key_usage = value;
  else if (equals(id, extended_key_usage_id, sizeof extended_key_usage_id)) {
    all->extended_key_usage = value;
    all->role_is_critical = critical;
  } else
    all->has_unknown_critical |= critical;
  return 0;
}

/* SEQUENCE OF SEQUENCE { id, critical DEFAULT FALSE, value }: a false is left out in DER. */
static int read_extensions(struct dc_bytes list, struct extensions *all) {
  memset(all, 0, sizeof *all);
  while (list.length > 0) {
    struct dc_bytes extension, id, flag, value;
    int critical = 0;
    if (dc_der_read(&list, DC_DER_SEQUENCE, &extension) != 0 ||
        dc_der_read(&extension, DC_DER_OID, &id) != 0)
      return DC_ERR_CERTIFICATE_ENCODING;
    if (dc_der_is(extension, DC_DER_BOOLEAN)) {
      if (dc_der_read(&extension, DC_DER_BOOLEAN, &flag) != 0 || flag.length != 1 ||
          flag.data[0] != 0xff)
        return DC_ERR_CERTIFICATE_ENCODING;
      critical = 1;
    }
    if (dc_der_read(&extension, DC_DER_OCTET_STRING, &value) != 0 || extension.length != 0 ||
        note_extension(all, id, critical, value) != 0)
      return DC_ERR_CERTIFICATE_ENCODING;
  }
  return 0;
}

/* BasicConstraints: an absent one, or an absent cA, is false. */
static int read_is_ca(struct dc_bytes value, int *is_ca) {
  uint8_t path_length[4];
  struct dc_bytes constraints, flag;
  *is_ca = 0;
  if (value.data == NULL) return 0;
  if (dc_der_read(&value, DC_DER_SEQUENCE, &constraints) != 0 || value.length != 0) return -1;
  if (constraints.length == 0) return 0;
  if (dc_der_read(&constraints, DC_DER_BOOLEAN, &flag) != 0 || flag.length != 1 ||
      flag.data[0] != 0xff)
    return -1;
  *is_ca = 1;
  if (constraints.length == 0) return 0;
  return dc_der_read_unsigned(&constraints, path_length, sizeof path_length) != 0 ||
                 constraints.length != 0
             ? -1
             : 0;
}

/* The bits of a key usage: count of unused ones, then bytes. */
static int read_key_usage(struct dc_bytes value, struct dc_bytes *bits) {
  return dc_der_read(&value, DC_DER_BIT_STRING, bits) != 0 || value.length != 0 ||
                 bits->length < 2 || bits->data[0] > 7
             ? -1
             : 0;
}

static int check_key_usage(const struct extensions *all, uint32_t required) {
  struct dc_bytes bits;
  uint8_t exact[2] = {0, (uint8_t)required};
  if (all->key_usage.data == NULL) return DC_ERR_CERTIFICATE_KEY_USAGE_ABSENT;
  if (read_key_usage(all->key_usage, &bits) != 0) return DC_ERR_CERTIFICATE_ENCODING;
  while ((required >> exact[0] & 1u) == 0) exact[0]++; /* the unused bits */
  return equals(bits, exact, sizeof exact) ? 0 : DC_ERR_CERTIFICATE_KEY_USAGE;
}

static int check_role(const struct extensions *all, struct dc_bytes role) {
  struct dc_bytes value = all->extended_key_usage;
  struct dc_bytes list, id;
  int matches = 0, others = 0;
  if (value.data == NULL) return DC_ERR_CERTIFICATE_ROLE_ABSENT;
  if (!all->role_is_critical) return DC_ERR_CERTIFICATE_ROLE_NOT_CRITICAL;
  if (dc_der_read(&value, DC_DER_SEQUENCE, &list) != 0 || value.length != 0)
    return DC_ERR_CERTIFICATE_ENCODING;
  while (list.length > 0) {
    if (dc_der_read(&list, DC_DER_OID, &id) != 0) return DC_ERR_CERTIFICATE_ENCODING;
    if (matches == 0 && dc_bytes_equal(id, role))
      matches++;
    else
      others++;
  }
  return matches == 1 && others == 0 ? 0 : DC_ERR_CERTIFICATE_ROLE;
}

static int check_extensions(struct dc_bytes list, const struct dc_certificate_rules *rules) {
  struct extensions all;
  int is_ca;
  int status = read_extensions(list, &all);
  if (status != 0) return status;
  if (all.has_duplicate) return DC_ERR_CERTIFICATE_DUPLICATE_EXTENSION;
  if (all.has_unknown_critical) return DC_ERR_CERTIFICATE_CRITICAL_EXTENSION;
  if (read_is_ca(all.basic_constraints, &is_ca) != 0) return DC_ERR_CERTIFICATE_ENCODING;
  if (is_ca) return DC_ERR_CERTIFICATE_CA;
  status = check_key_usage(&all, rules->key_usage);
  return status == 0 ? check_role(&all, rules->role) : status;
}

/* The point of a P-256 key; NULL for any other key. */
static const uint8_t *point_of(const struct fields *fields) {
  struct dc_bytes key = fields->public_key;
  if (key.length != sizeof p256_head + DC_POINT_SIZE) return NULL;
  return memcmp(key.data, p256_head, sizeof p256_head) == 0 ? key.data + sizeof p256_head : NULL;
}

static int check_point(struct dc *dc, const uint8_t *point, int refusal) {
  int status = point == NULL ? DC_ERR_ARGUMENT : dc_ec_check_point(dc, point);
  return status == DC_ERR_ARGUMENT ? refusal : status;
}

static int read_anchor(struct dc *dc, struct dc_bytes input, struct fields *anchor) {
  struct extensions all;
  struct dc_bytes bits;
  int is_ca = 0;
  if (read_fields(input, anchor) != 0 || !equals(anchor->version, version_3, sizeof version_3) ||
      read_extensions(anchor->extensions, &all) != 0 || all.has_duplicate ||
      all.has_unknown_critical || read_is_ca(all.basic_constraints, &is_ca) != 0 || !is_ca)
    return DC_ERR_CERTIFICATE_ANCHOR;
  if (all.key_usage.data == NULL || read_key_usage(all.key_usage, &bits) != 0 ||
      (bits.data[1] & KEY_CERT_SIGN) == 0)
    return DC_ERR_CERTIFICATE_ANCHOR;
  return check_point(dc, point_of(anchor), DC_ERR_CERTIFICATE_ANCHOR);
}

static int check_validity(struct dc *dc, struct dc_bytes validity,
                          const struct dc_certificate_rules *rules,
                          struct dc_certificate *certificate) {
  int64_t floor = rules->time_floor;
  int64_t now = dc->port.time == NULL ? -1 : dc->port.time(dc->port.context);
  if (now > floor) floor = now;
  if (dc_der_read_time(&validity, &certificate->not_before) != 0 ||
      dc_der_read_time(&validity, &certificate->not_after) != 0 || validity.length != 0 ||
      certificate->not_after < certificate->not_before)
    return DC_ERR_CERTIFICATE_VALIDITY;
  if (certificate->not_after < floor) return DC_ERR_CERTIFICATE_EXPIRED;
  return certificate->not_before < rules->issued_not_before ? DC_ERR_CERTIFICATE_TOO_OLD : 0;
}

/* The signature's two integers, in a bit string without unused bits. */
static int check_signature(struct dc *dc, const struct fields *leaf, const uint8_t *anchor_point) {
  uint8_t signature[DC_SIGNATURE_SIZE];
  struct dc_bytes bits = leaf->signature;
  struct dc_bytes pair;
  if (bits.length == 0 || bits.data[0] != 0) return DC_ERR_CERTIFICATE_SIGNATURE;
  bits.data++;
  bits.length--;
  if (dc_der_read(&bits, DC_DER_SEQUENCE, &pair) != 0 || bits.length != 0 ||
      dc_der_read_unsigned(&pair, signature, DC_SCALAR_SIZE) != 0 ||
      dc_der_read_unsigned(&pair, signature + DC_SCALAR_SIZE, DC_SCALAR_SIZE) != 0 ||
      pair.length != 0)
    return DC_ERR_CERTIFICATE_SIGNATURE;
  int status = dc_verify_message(dc, anchor_point, leaf->tbs, signature);
  return status == DC_ERR_SIGNATURE ? DC_ERR_CERTIFICATE_SIGNATURE : status;
}

static int check_leaf(struct dc *dc, const struct fields *leaf, const struct fields *anchor,
                      const struct dc_certificate_rules *rules,
                      struct dc_certificate *certificate) {
  if (!equals(leaf->version, version_3, sizeof version_3)) return DC_ERR_CERTIFICATE_VERSION;
  if (!equals(leaf->inner_algorithm, ecdsa_with_sha256, sizeof ecdsa_with_sha256) ||
      !equals(leaf->outer_algorithm, ecdsa_with_sha256, sizeof ecdsa_with_sha256))
    return DC_ERR_CERTIFICATE_ALGORITHM;
  if (!dc_bytes_equal(leaf->issuer, anchor->subject)) return DC_ERR_CERTIFICATE_ISSUER;
  int status = check_validity(dc, leaf->validity, rules, certificate);
  const uint8_t *point = point_of(leaf);
  if (status == 0) status = check_point(dc, point, DC_ERR_CERTIFICATE_PUBLIC_KEY);
  if (status != 0) return status;
  if (dc_bytes_equal(leaf->subject, leaf->issuer) ||
      memcmp(point, point_of(anchor), DC_POINT_SIZE) == 0)
    return DC_ERR_CERTIFICATE_SELF_ISSUED;
  status = check_extensions(leaf->extensions, rules);
  if (status == 0) status = check_signature(dc, leaf, point_of(anchor));
  if (status == 0) memcpy(certificate->public_key, point, DC_POINT_SIZE);
  return status;
}

static int is_time(int64_t seconds) { return seconds >= 0 && seconds <= TIME_MAX; }

static int check_rules(const struct dc_certificate_rules *rules) {
  uint32_t usage = rules->key_usage;
  if (rules->role.data == NULL || rules->role.length == 0 || rules->role.length > DC_ROLE_MAX)
    return DC_ERR_ARGUMENT;
  if (usage == 0 || usage > 0x80 || (usage & (usage - 1)) != 0) return DC_ERR_ARGUMENT;
  return is_time(rules->issued_not_before) && is_time(rules->time_floor) ? 0 : DC_ERR_ARGUMENT;
}

int dc_verify_certificate(struct dc *dc, struct dc_bytes leaf, struct dc_bytes anchor,
                          const struct dc_certificate_rules *rules,
                          struct dc_certificate *certificate) {
  struct fields leaf_fields, anchor_fields;
  memset(certificate, 0, sizeof *certificate);
  int status = check_rules(rules);
  if (status == 0) status = dc_check_input(leaf);
  if (status == 0) status = dc_check_input(anchor);
  if (status == 0) status = read_anchor(dc, anchor, &anchor_fields);
  if (status == 0) status = read_fields(leaf, &leaf_fields);
  if (status == 0) status = check_leaf(dc, &leaf_fields, &anchor_fields, rules, certificate);
  if (status != 0) memset(certificate, 0, sizeof *certificate);
  return status;
}

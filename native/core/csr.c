#include "internal.h"

#include <string.h>

/*
 * A PKCS #10 request (RFC 2986). All of it is fixed but the public key and the
 * signature, so it is written from two constants instead of by a DER writer.
 */

/* CertificationRequestInfo up to the point: version 0, an empty subject, a P-256 key. */
static const uint8_t info_head[] = {
    0x30, 0x62,                                                 /* SEQUENCE */
    0x02, 0x01, 0x00,                                           /* version 0 */
    0x30, 0x00,                                                 /* subject: no names */
    0x30, 0x59, 0x30, 0x13,                                     /* SubjectPublicKeyInfo */
    0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,       /* id-ecPublicKey */
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, /* prime256v1 */
    0x03, 0x42, 0x00};
static const uint8_t no_attributes[] = {0xa0, 0x00};
static const uint8_t ecdsa_with_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                            0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

#define INFO_SIZE (sizeof info_head + DC_POINT_SIZE + sizeof no_attributes)
/* Two integers of 32 bytes and a sign byte; each has tag and length, as has what holds them. */
#define SIGNATURE_MAX (3u + 2u + 2u * (2u + 1u + DC_SCALAR_SIZE))

/* The request's own header takes 3 bytes: its contents are always 128 to 255 long. */
#define HEADER_SIZE 3u
typedef char request_fits[HEADER_SIZE + INFO_SIZE + sizeof ecdsa_with_sha256 + SIGNATURE_MAX <=
                                  DC_CSR_MAX
                              ? 1
                              : -1];

/* A DER integer from 32 bytes; returns its size. */
static size_t write_integer(uint8_t *out, const uint8_t scalar[DC_SCALAR_SIZE]) {
  size_t skipped = 0;
  while (skipped < DC_SCALAR_SIZE - 1 && scalar[skipped] == 0) skipped++;
  size_t length = DC_SCALAR_SIZE - skipped;
  size_t sign = scalar[skipped] >> 7; /* a zero byte keeps it positive */
  out[0] = 0x02;
  out[1] = (uint8_t)(sign + length);
  out[2] = 0;
  memcpy(out + 2 + sign, scalar + skipped, length);
  return 2 + sign + length;
}

/* The bit string that holds the signature; returns its size. */
static size_t write_signature(uint8_t *out, const uint8_t signature[DC_SIGNATURE_SIZE]) {
  size_t length = write_integer(out + 5, signature);
  length += write_integer(out + 5 + length, signature + DC_SCALAR_SIZE);
  out[0] = 0x03;
  out[1] = (uint8_t)(3 + length);
  out[2] = 0; /* no unused bits */
  out[3] = 0x30;
  out[4] = (uint8_t)length;
  return 5 + length;
}

int dc_write_csr(struct dc *dc, dc_handle key, uint8_t out[DC_CSR_MAX], size_t *length) {
  uint8_t signature[DC_SIGNATURE_SIZE];
  uint8_t *info = out + HEADER_SIZE;
  *length = 0;
  const struct dc_slot *slot = dc_slot_find(dc, key, DC_KIND_P256, DC_USAGE_SIGN);
  if (slot == NULL) return DC_ERR_KEY;
  memcpy(info, info_head, sizeof info_head);
  memcpy(info + sizeof info_head, slot->public_key, DC_POINT_SIZE);
  memcpy(info + sizeof info_head + DC_POINT_SIZE, no_attributes, sizeof no_attributes);
  struct dc_bytes message = {info, INFO_SIZE};
  int status = dc_sign_message(dc, key, message, signature);
  if (status != 0) return status;
  memcpy(info + INFO_SIZE, ecdsa_with_sha256, sizeof ecdsa_with_sha256);
  size_t contents = INFO_SIZE + sizeof ecdsa_with_sha256;
  contents += write_signature(info + contents, signature);
  out[0] = 0x30;
  out[1] = 0x81;
  out[2] = (uint8_t)contents;
  *length = HEADER_SIZE + contents;
  return 0;
}

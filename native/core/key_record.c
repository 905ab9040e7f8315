#include "key_record.h"

#include <string.h>

#include <mbedtls/platform_util.h>

/*
 * Version 1, big-endian:
 *   0   4  "cfdk"
 *   4   1  version of this layout
 *   5   8  record sequence, from 1
 *  13   4  counter
 *  17  32  private key
 *  49  65  public key
 * 114   4  CRC-32 of all before
 *
 * Version 2, where the port has a hardware key: at 17 a nonce (12), the private key
 * under AES-128-GCM (32) and the tag (16), the rest moved up. What comes before the
 * nonce is authenticated; the public key must be the private one's anyway.
 *
 * The CRC finds damage, not forgery: who can write the store can put another key there.
 */
#define PLAIN_VERSION 1u
#define SEALED_VERSION 2u
#define AT_VERSION 4u
#define AT_SEQUENCE 5u
#define AT_COUNTER 13u
#define AT_SECRET 17u
#define CRC_SIZE 4u
#define SEALED_SECRET (DC_NONCE_SIZE + DC_SCALAR_SIZE + DC_TAG_SIZE)
#define PLAIN_SIZE (AT_SECRET + DC_SCALAR_SIZE + DC_POINT_SIZE + CRC_SIZE)
#define SEALED_SIZE (AT_SECRET + SEALED_SECRET + DC_POINT_SIZE + CRC_SIZE)
#define LABEL "coseflow key "

static const uint8_t magic[4] = {'c', 'f', 'd', 'k'};

/* The key that seals: the chip's, for this id only. */
static int sealing_key(struct dc *dc, struct dc_bytes id, uint8_t key[DC_KEY_SIZE]) {
  uint8_t label[sizeof LABEL - 1 + DC_ID_MAX];
  uint8_t hardware[32];
  memcpy(label, LABEL, sizeof LABEL - 1);
  memcpy(label + sizeof LABEL - 1, id.data, id.length);
  int status = dc->port.hardware_key(dc->port.context, label, sizeof LABEL - 1 + id.length, hardware);
  memcpy(key, hardware, DC_KEY_SIZE);
  mbedtls_platform_zeroize(hardware, sizeof hardware);
  return status == 0 ? 0 : DC_ERR_STORE;
}

static int seal_secret(struct dc *dc, struct dc_bytes id, const uint8_t *secret, uint8_t *bytes) {
  uint8_t key[DC_KEY_SIZE];
  struct dc_bytes aad = {bytes, AT_SECRET};
  struct dc_bytes plaintext = {secret, DC_SCALAR_SIZE};
  int status = dc_random(dc, bytes + AT_SECRET, DC_NONCE_SIZE);
  if (status == 0) status = sealing_key(dc, id, key);
  if (status == 0)
    status = dc_gcm_seal(key, bytes + AT_SECRET, aad, plaintext, bytes + AT_SECRET + DC_NONCE_SIZE);
  mbedtls_platform_zeroize(key, sizeof key);
  return status;
}

static int unseal_secret(struct dc *dc, struct dc_bytes id, const uint8_t *bytes, uint8_t *secret) {
  uint8_t key[DC_KEY_SIZE];
  struct dc_bytes aad = {bytes, AT_SECRET};
  struct dc_bytes sealed = {bytes + AT_SECRET + DC_NONCE_SIZE, DC_SCALAR_SIZE + DC_TAG_SIZE};
  int status = sealing_key(dc, id, key);
  if (status == 0) status = dc_gcm_open(key, bytes + AT_SECRET, aad, sealed, secret);
  mbedtls_platform_zeroize(key, sizeof key);
  return status;
}

static int has_valid_form(const struct dc *dc, const uint8_t *bytes, size_t length) {
  if (length != PLAIN_SIZE && length != SEALED_SIZE) return 0;
  unsigned version = length == PLAIN_SIZE ? PLAIN_VERSION : SEALED_VERSION;
  if (version == SEALED_VERSION && dc->port.hardware_key == NULL) return 0;
  return memcmp(bytes, magic, sizeof magic) == 0 && bytes[AT_VERSION] == version &&
         dc_get_u64(bytes + AT_SEQUENCE) > 0 &&
         dc_get_u32(bytes + length - CRC_SIZE) == dc_crc32(bytes, length - CRC_SIZE);
}

static int decode(struct dc *dc, struct dc_bytes id, const uint8_t *bytes, size_t length,
                  struct dc_key_record *record) {
  record->presence = DC_DAMAGED;
  if (!has_valid_form(dc, bytes, length)) return 0;
  int status = 0;
  if (length == SEALED_SIZE)
    status = unseal_secret(dc, id, bytes, record->secret);
  else
    memcpy(record->secret, bytes + AT_SECRET, DC_SCALAR_SIZE);
  if (status == DC_ERR_DECRYPT) return 0;
  if (status != 0) return status;
  record->presence = DC_VALID;
  record->sequence = dc_get_u64(bytes + AT_SEQUENCE);
  record->counter = dc_get_u32(bytes + AT_COUNTER);
  memcpy(record->public_key, bytes + length - CRC_SIZE - DC_POINT_SIZE, DC_POINT_SIZE);
  return 0;
}

int dc_key_record_read(struct dc *dc, struct dc_bytes id, unsigned slot,
                       struct dc_key_record *record) {
  uint8_t bytes[SEALED_SIZE];
  char name[DC_STORE_ID_MAX + 1];
  size_t length = 0;
  dc_store_id(name, "", id, slot);
  memset(record, 0, sizeof *record);
  int result = dc->port.store_read(dc->port.context, name, bytes, sizeof bytes, &length);
  int status = 0;
  if (result == 0)
    status = decode(dc, id, bytes, length, record);
  else if (result != DC_STORE_ABSENT)
    status = DC_ERR_STORE;
  mbedtls_platform_zeroize(bytes, sizeof bytes);
  return status;
}

static int encode(struct dc *dc, struct dc_bytes id, const struct dc_key_record *record,
                  uint8_t *bytes, size_t *length) {
  int sealed = dc->port.hardware_key != NULL;
  *length = sealed ? SEALED_SIZE : PLAIN_SIZE;
  memcpy(bytes, magic, sizeof magic);
  bytes[AT_VERSION] = sealed ? SEALED_VERSION : PLAIN_VERSION;
  dc_put_u64(bytes + AT_SEQUENCE, record->sequence);
  dc_put_u32(bytes + AT_COUNTER, record->counter);
  memcpy(bytes + *length - CRC_SIZE - DC_POINT_SIZE, record->public_key, DC_POINT_SIZE);
  int status = 0;
  if (sealed)
    status = seal_secret(dc, id, record->secret, bytes);
  else
    memcpy(bytes + AT_SECRET, record->secret, DC_SCALAR_SIZE);
  if (status == 0) dc_put_u32(bytes + *length - CRC_SIZE, dc_crc32(bytes, *length - CRC_SIZE));
  return status;
}

int dc_key_record_write(struct dc *dc, struct dc_bytes id, unsigned slot,
                        const struct dc_key_record *record) {
  uint8_t bytes[SEALED_SIZE];
  uint8_t stored[SEALED_SIZE];
  char name[DC_STORE_ID_MAX + 1];
  size_t length = 0, stored_length = 0;
  void *context = dc->port.context;
  dc_store_id(name, "", id, slot);
  int status = encode(dc, id, record, bytes, &length);
  if (status == 0 && dc->port.store_write(context, name, bytes, length) != 0) status = DC_ERR_STORE;
  if (status == 0 &&
      dc->port.store_read(context, name, stored, sizeof stored, &stored_length) != 0)
    status = DC_ERR_STORE;
  if (status == 0 && (stored_length != length || !dc_equal(bytes, stored, length)))
    status = DC_ERR_STORE;
  mbedtls_platform_zeroize(bytes, sizeof bytes);
  mbedtls_platform_zeroize(stored, sizeof stored);
  return status;
}

#include "internal.h"

#include <string.h>

#include <mbedtls/platform_util.h>

/*
 * What the port keeps over deep sleep, big-endian:
 *   0   4  "cfsl"
 *   4   1  version of this layout
 *   5   1  usage
 *   6   4  last number reserved
 *  10  12  Base IV
 *  22  16  key
 *  38   4  CRC-32 of all before: it finds damage, not forgery
 */
#define VERSION 1u
#define AT_VERSION 4u
#define AT_USAGE 5u
#define AT_SEQUENCE 6u
#define AT_BASE_IV 10u
#define AT_SECRET (AT_BASE_IV + DC_NONCE_SIZE)
#define AT_CRC (AT_SECRET + DC_KEY_SIZE)
#define RECORD_SIZE (AT_CRC + 4u)

/* Fails to compile when the port is promised another size. */
typedef char record_fits[RECORD_SIZE == DC_SLEEP_SIZE ? 1 : -1];

static const uint8_t magic[4] = {'c', 'f', 's', 'l'};

static void encode(const struct dc_slot *slot, uint8_t *bytes) {
  memcpy(bytes, magic, sizeof magic);
  bytes[AT_VERSION] = VERSION;
  bytes[AT_USAGE] = slot->usage;
  dc_put_u32(bytes + AT_SEQUENCE, slot->sequence);
  memcpy(bytes + AT_BASE_IV, slot->base_iv, DC_NONCE_SIZE);
  memcpy(bytes + AT_SECRET, slot->secret, DC_KEY_SIZE);
  dc_put_u32(bytes + AT_CRC, dc_crc32(bytes, AT_CRC));
}

static int is_valid(const uint8_t *bytes, size_t length) {
  return length == RECORD_SIZE && memcmp(bytes, magic, sizeof magic) == 0 &&
         bytes[AT_VERSION] == VERSION && (bytes[AT_USAGE] & DC_USAGE_ENCRYPT_SEQUENCE) != 0 &&
         dc_check_usage(bytes[AT_USAGE], 1) == 0 &&
         dc_get_u32(bytes + AT_SEQUENCE) <= DC_SEQUENCE_MAX &&
         dc_get_u32(bytes + AT_CRC) == dc_crc32(bytes, AT_CRC);
}

int dc_keep_session(struct dc *dc, dc_handle key) {
  if (dc->port.sleep_keep == NULL || dc->port.sleep_take == NULL) return DC_ERR_UNSUPPORTED;
  struct dc_slot *slot = dc_slot_find(dc, key, DC_KIND_AES128, DC_USAGE_ENCRYPT_SEQUENCE);
  if (slot == NULL) return DC_ERR_KEY;
  uint8_t bytes[RECORD_SIZE];
  encode(slot, bytes);
  int result = dc->port.sleep_keep(dc->port.context, bytes, sizeof bytes);
  mbedtls_platform_zeroize(bytes, sizeof bytes);
  if (result != 0) return DC_ERR_STORE;
  dc_slot_wipe(slot); /* no number after what was kept */
  return 0;
}

int dc_resume_session(struct dc *dc, dc_handle *key) {
  *key = 0;
  if (dc->port.sleep_keep == NULL || dc->port.sleep_take == NULL) return DC_ERR_UNSUPPORTED;
  /* The slot first: without one, what was kept must not be read and lost. */
  struct dc_slot *slot = dc_slot_claim(dc, DC_KIND_AES128, 0);
  if (slot == NULL) return DC_ERR_KEY;
  uint8_t bytes[RECORD_SIZE];
  size_t length = 0;
  int result = dc->port.sleep_take(dc->port.context, bytes, sizeof bytes, &length);
  int status = result == 0 && is_valid(bytes, length) ? 0 : DC_ABSENT;
  if (status == 0) {
    slot->usage = bytes[AT_USAGE];
    slot->sequence = dc_get_u32(bytes + AT_SEQUENCE);
    memcpy(slot->base_iv, bytes + AT_BASE_IV, DC_NONCE_SIZE);
    memcpy(slot->secret, bytes + AT_SECRET, DC_KEY_SIZE);
  }
  mbedtls_platform_zeroize(bytes, sizeof bytes);
  return dc_slot_settle(dc, slot, status, key);
}

uint32_t dc_reset_reason(const struct dc *dc) {
  if (dc->port.reset_reason == NULL) return DC_RESET_UNKNOWN;
  int reason = dc->port.reset_reason(dc->port.context);
  return reason > 0 && reason <= DC_RESET_BROWNOUT ? (uint32_t)reason : DC_RESET_UNKNOWN;
}

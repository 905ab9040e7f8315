#include "internal.h"

#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

int dc_random(struct dc *dc, uint8_t *out, size_t length) {
  if (length == 0) return 0;
  if (dc->port.random(dc->port.context, out, length) == 0) return 0;
  mbedtls_platform_zeroize(out, length);
  dc->random_failed = 1;
  return DC_ERR_RANDOM;
}

int dc_random_ready(struct dc *dc) {
  if (dc->port.random_ready == NULL) return 0;
  return dc->port.random_ready(dc->port.context) == 0 ? 0 : DC_ERR_RANDOM;
}

int dc_mbedtls_random(void *context, unsigned char *out, size_t length) {
  return dc_random(context, out, length) == 0 ? 0 : MBEDTLS_ERR_ECP_RANDOM_FAILED;
}

int dc_mbedtls_status(const struct dc *dc, int result) {
  if (result == 0) return 0;
  return dc->random_failed ? DC_ERR_RANDOM : DC_ERR_MEMORY;
}

int dc_check_input(struct dc_bytes input) {
  if (input.length > DC_INPUT_MAX) return DC_ERR_ARGUMENT;
  return input.data == NULL && input.length > 0 ? DC_ERR_ARGUMENT : 0;
}

int dc_check_id(struct dc_bytes id) {
  if (id.data == NULL || id.length == 0 || id.length > DC_ID_MAX) return DC_ERR_ARGUMENT;
  for (size_t i = 0; i < id.length; i++) {
    uint8_t c = id.data[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) return DC_ERR_ARGUMENT;
  }
  return 0;
}

void dc_store_id(char out[DC_STORE_ID_MAX + 1], const char *prefix, struct dc_bytes id,
                 unsigned slot) {
  size_t at = strlen(prefix);
  memcpy(out, prefix, at);
  memcpy(out + at, id.data, id.length);
  at += id.length;
  out[at++] = '-';
  out[at++] = slot == 0 ? 'a' : 'b';
  out[at] = '\0';
}

const uint8_t *dc_data(struct dc_bytes input) {
  static const uint8_t nothing[1] = {0};
  return input.data == NULL ? nothing : input.data;
}

int dc_equal(const uint8_t *a, const uint8_t *b, size_t length) {
  /* volatile: no compiler may turn this into an early exit */
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < length; i++) difference = (uint8_t)(difference | (a[i] ^ b[i]));
  return difference == 0;
}

/* The upper frames of mbedTLS, which hold what it does not wipe: a scalar's digits end at
 * most 1,152 bytes down. Little deeper than its calculations went, so this costs little
 * stack of its own. */
#define STACK_BELOW 1152u

void dc_wipe_stack(void) {
  uint8_t below[STACK_BELOW];
  mbedtls_platform_zeroize(below, sizeof below);
}

void dc_put_u32(uint8_t *out, uint32_t value) {
  for (int i = 3; i >= 0; i--, value >>= 8) out[i] = (uint8_t)value;
}

uint32_t dc_get_u32(const uint8_t *data) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) value = value << 8 | data[i];
  return value;
}

void dc_put_u64(uint8_t *out, uint64_t value) {
  dc_put_u32(out, (uint32_t)(value >> 32));
  dc_put_u32(out + 4, (uint32_t)value);
}

uint64_t dc_get_u64(const uint8_t *data) {
  return (uint64_t)dc_get_u32(data) << 32 | dc_get_u32(data + 4);
}

/* Four bits at a time. What they add is the sum of what each adds alone, so no table is
 * needed: its cache lines would tell of the private key in a record. */
static uint32_t crc_of_nibble(uint32_t bits) {
  return (0x1db71064u & (0u - (bits & 1u))) ^ (0x3b6e20c8u & (0u - (bits >> 1 & 1u))) ^
         (0x76dc4190u & (0u - (bits >> 2 & 1u))) ^ (0xedb88320u & (0u - (bits >> 3 & 1u)));
}

uint32_t dc_crc32_more(uint32_t crc, const uint8_t *data, size_t length) {
  crc = ~crc;
  for (size_t i = 0; i < length; i++) {
    crc ^= data[i];
    crc = crc >> 4 ^ crc_of_nibble(crc);
    crc = crc >> 4 ^ crc_of_nibble(crc);
  }
  return ~crc;
}

uint32_t dc_crc32(const uint8_t *data, size_t length) { return dc_crc32_more(0, data, length); }

int dc_generate_random(struct dc *dc, uint8_t *out, size_t length) {
  if (length > DC_INPUT_MAX) return DC_ERR_ARGUMENT;
  return dc_random(dc, out, length);
}

int dc_hash_compute(struct dc_bytes input, uint8_t out[DC_HASH_SIZE]) {
  int status = dc_check_input(input);
  if (status != 0) return status;
  const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
  if (sha256 == NULL) return DC_ERR_MEMORY;
  return mbedtls_md(sha256, dc_data(input), input.length, out) == 0 ? 0 : DC_ERR_MEMORY;
}

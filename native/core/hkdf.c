#include "internal.h"

#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

/* Written out because ESP-IDF builds mbedTLS without its HKDF. */

static int hmac(const mbedtls_md_info_t *sha256, const uint8_t key[DC_HASH_SIZE],
                const uint8_t *data, size_t length, const uint8_t *last,
                uint8_t out[DC_HASH_SIZE]) {
  mbedtls_md_context_t md;
  mbedtls_md_init(&md); /* mbedtls_md_free below wipes what the key left in it */
  int result = mbedtls_md_setup(&md, sha256, 1);
  if (result == 0) result = mbedtls_md_hmac_starts(&md, key, DC_HASH_SIZE);
  if (result == 0) result = mbedtls_md_hmac_update(&md, data, length);
  if (result == 0 && last != NULL) result = mbedtls_md_hmac_update(&md, last, 1);
  if (result == 0) result = mbedtls_md_hmac_finish(&md, out);
  mbedtls_md_free(&md);
  return result == 0 ? 0 : DC_ERR_MEMORY;
}

int dc_hkdf(const uint8_t *secret, size_t length, struct dc_bytes info, uint8_t out[DC_KEY_SIZE]) {
  static const uint8_t empty_salt[DC_HASH_SIZE] = {0}; /* RFC 5869 section 2.2 */
  static const uint8_t first_block = 1;                /* one block is enough for 16 bytes */
  const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
  if (sha256 == NULL) return DC_ERR_MEMORY;
  uint8_t pseudorandom_key[DC_HASH_SIZE];
  uint8_t block[DC_HASH_SIZE];
  int status = hmac(sha256, empty_salt, secret, length, NULL, pseudorandom_key);
  if (status == 0)
    status = hmac(sha256, pseudorandom_key, dc_data(info), info.length, &first_block, block);
  if (status == 0)
    for (size_t i = 0; i < DC_KEY_SIZE; i++) out[i] = block[i];
  mbedtls_platform_zeroize(pseudorandom_key, sizeof pseudorandom_key);
  mbedtls_platform_zeroize(block, sizeof block);
  return status;
}

int dc_derive_key(struct dc *dc, dc_handle key, struct dc_bytes info, uint32_t usage,
                  dc_handle *derived) {
  *derived = 0;
  int status = dc_check_input(info);
  if (status == 0) status = dc_check_usage(usage, 0);
  if (status != 0) return status;
  const struct dc_slot *source = dc_slot_find(dc, key, DC_KIND_AES128, DC_USAGE_DERIVE);
  if (source == NULL) return DC_ERR_KEY;
  struct dc_slot *slot = dc_slot_claim(dc, DC_KIND_AES128, usage);
  if (slot == NULL) return DC_ERR_KEY;
  status = dc_hkdf(source->secret, DC_KEY_SIZE, info, slot->secret);
  return dc_slot_settle(dc, slot, status, derived);
}

#include "internal.h"

#include <string.h>

#include <mbedtls/aes.h>
#include <mbedtls/platform_util.h>

/* Written out because ESP-IDF builds mbedTLS without its key wrap. A 128-bit key is
 * two 64-bit halves (n = 2), so the step counter t runs from 1 to 6 * 2. */

#define HALF 8u
#define STEPS 12u

static const uint8_t default_iv[HALF] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6};

int dc_key_wrap(const uint8_t kek[DC_KEY_SIZE], const uint8_t key[DC_KEY_SIZE],
                uint8_t wrapped[DC_WRAPPED_SIZE]) {
  uint8_t block[2 * HALF];
  mbedtls_aes_context aes;
  mbedtls_aes_init(&aes);
  int result = mbedtls_aes_setkey_enc(&aes, kek, 8 * DC_KEY_SIZE);
  uint8_t halves[2 * HALF];
  memcpy(halves, key, sizeof halves);
  memcpy(block, default_iv, HALF);
  for (uint8_t t = 1; result == 0 && t <= STEPS; t++) {
    uint8_t *half = halves + (t % 2 == 1 ? 0 : HALF);
    memcpy(block + HALF, half, HALF);
    result = mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, block, block);
    memcpy(half, block + HALF, HALF);
    block[HALF - 1] ^= t;
  }
  if (result == 0) {
    memcpy(wrapped, block, HALF);
    memcpy(wrapped + HALF, halves, sizeof halves);
  }
  mbedtls_aes_free(&aes);
  mbedtls_platform_zeroize(block, sizeof block);
  mbedtls_platform_zeroize(halves, sizeof halves);
  return result == 0 ? 0 : DC_ERR_MEMORY;
}

int dc_key_unwrap(const uint8_t kek[DC_KEY_SIZE], const uint8_t wrapped[DC_WRAPPED_SIZE],
                  uint8_t key[DC_KEY_SIZE]) {
  uint8_t block[2 * HALF];
  mbedtls_aes_context aes;
  mbedtls_aes_init(&aes);
  int result = mbedtls_aes_setkey_dec(&aes, kek, 8 * DC_KEY_SIZE);
  memcpy(block, wrapped, HALF);
  memcpy(key, wrapped + HALF, DC_KEY_SIZE);
  for (uint8_t t = STEPS; result == 0 && t >= 1; t--) {
    uint8_t *half = key + (t % 2 == 1 ? 0 : HALF);
    block[HALF - 1] ^= t;
    memcpy(block + HALF, half, HALF);
    result = mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_DECRYPT, block, block);
    memcpy(half, block + HALF, HALF);
  }
  int genuine = dc_equal(block, default_iv, HALF);
  mbedtls_aes_free(&aes);
  mbedtls_platform_zeroize(block, sizeof block);
  if (result == 0 && genuine) return 0;
  mbedtls_platform_zeroize(key, DC_KEY_SIZE);
  return result == 0 ? DC_ERR_DECRYPT : DC_ERR_MEMORY;
}

#include "suite.h"

/* Sequence numbers: from 1, each encrypts once, to the limit and no further. */

static const struct dc_bytes nothing = {NULL, 0};

static void once_each(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint32_t first, second;
  uint8_t out[4 + DC_TAG_SIZE];
  device_start(&device, 50);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_ENCRYPT_SEQUENCE, &key));
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_aead_encrypt_sequence(dc, key, 0, nothing, nothing, out));
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_aead_encrypt_sequence(dc, key, 1, nothing, nothing, out));
  CHECK_STATUS(suite, 0, dc_reserve_sequence(dc, key, &first));
  CHECK(suite, first == 1);
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_aead_encrypt_sequence(dc, key, 2, nothing, nothing, out));
  CHECK_STATUS(suite, 0, dc_aead_encrypt_sequence(dc, key, 1, TEXT("aad"), TEXT("text"), out));
  CHECK_STATUS(suite, DC_ERR_SEQUENCE,
               dc_aead_encrypt_sequence(dc, key, 1, TEXT("aad"), TEXT("text"), out));
  CHECK_STATUS(suite, 0, dc_reserve_sequence(dc, key, &first));
  CHECK_STATUS(suite, 0, dc_reserve_sequence(dc, key, &second));
  CHECK(suite, first == 2 && second == 3);
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_aead_encrypt_sequence(dc, key, 2, nothing, nothing, out));
  CHECK_STATUS(suite, 0, dc_aead_encrypt_sequence(dc, key, 3, nothing, nothing, out));
  device_stop(&device);
}

/* The nonce is Base IV XOR number, as the receiver calculates it. */
static void nonces(struct suite *suite) {
  struct device device;
  dc_handle key, opener;
  uint32_t sequence;
  uint8_t nonce[DC_NONCE_SIZE], out[4 + DC_TAG_SIZE], text[4];
  device_start(&device, 51);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_ENCRYPT_SEQUENCE, &key));
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_DECRYPT, &opener));
  memcpy(slot_of(&device, opener)->secret, slot_of(&device, key)->secret, DC_KEY_SIZE);
  slot_of(&device, key)->sequence = 0x0a0b0c - 1;
  CHECK_STATUS(suite, 0, dc_reserve_sequence(dc, key, &sequence));
  CHECK_STATUS(suite, 0,
               dc_aead_encrypt_sequence(dc, key, sequence, TEXT("aad"), TEXT("text"), out));
  CHECK_STATUS(suite, 0, dc_export_base_iv(dc, key, nonce));
  nonce[11] ^= 0x0c;
  nonce[10] ^= 0x0b;
  nonce[9] ^= 0x0a;
  struct dc_bytes whole = {out, sizeof out};
  CHECK_STATUS(suite, 0, dc_aead_decrypt(dc, opener, nonce, TEXT("aad"), whole, text));
  CHECK(suite, memcmp(text, "text", sizeof text) == 0);
  device_stop(&device);
}

static void limit(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint32_t sequence;
  uint8_t out[DC_TAG_SIZE];
  device_start(&device, 52);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_ENCRYPT_SEQUENCE, &key));
  slot_of(&device, key)->sequence = DC_SEQUENCE_MAX - 1;
  CHECK_STATUS(suite, 0, dc_reserve_sequence(dc, key, &sequence));
  CHECK(suite, sequence == 1u << 20);
  CHECK_STATUS(suite, 0, dc_aead_encrypt_sequence(dc, key, sequence, nothing, nothing, out));
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_reserve_sequence(dc, key, &sequence));
  CHECK(suite, sequence == 0);
  CHECK_STATUS(suite, DC_ERR_SEQUENCE,
               dc_aead_encrypt_sequence(dc, key, DC_SEQUENCE_MAX + 1, nothing, nothing, out));
  device_stop(&device);
}

static void base_ivs_differ(struct suite *suite) {
  struct device device;
  dc_handle a, b;
  uint8_t iv_a[DC_NONCE_SIZE], iv_b[DC_NONCE_SIZE];
  device_start(&device, 53);
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_ENCRYPT_SEQUENCE, &a));
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_ENCRYPT_SEQUENCE, &b));
  CHECK_STATUS(suite, 0, dc_export_base_iv(&device.dc, a, iv_a));
  CHECK_STATUS(suite, 0, dc_export_base_iv(&device.dc, b, iv_b));
  CHECK(suite, memcmp(iv_a, iv_b, sizeof iv_a) != 0);
  device_stop(&device);
}

void test_sequence(struct suite *suite) {
  once_each(suite);
  nonces(suite);
  limit(suite);
  base_ivs_differ(suite);
}

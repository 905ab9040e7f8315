#include "suite.h"

/* What a wrong tag, a wrong length or a wrong key does. */

static const uint8_t nonce[DC_NONCE_SIZE] = {7, 7, 7};

/* The same key under two handles with other usages, as sender and receiver have it. */
static dc_handle twin(struct suite *suite, struct device *device, dc_handle key, uint32_t usage) {
  dc_handle copy;
  CHECK_STATUS(suite, 0, dc_generate_key(&device->dc, usage, &copy));
  memcpy(slot_of(device, copy)->secret, slot_of(device, key)->secret, DC_KEY_SIZE);
  return copy;
}

static int is_zero(const uint8_t *data, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (data[i] != 0) return 0;
  return 1;
}

static void texts(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint8_t cipher[10 + DC_TAG_SIZE], plain[10];
  device_start(&device, 40);
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_ENCRYPT | DC_USAGE_DECRYPT, &key));
  CHECK_STATUS(suite, 0,
               dc_aead_encrypt(&device.dc, key, nonce, TEXT("aad"), TEXT("ten bytes!"), cipher));
  struct dc_bytes whole = {cipher, sizeof cipher};
  CHECK_STATUS(suite, 0, dc_aead_decrypt(&device.dc, key, nonce, TEXT("aad"), whole, plain));
  CHECK(suite, memcmp(plain, "ten bytes!", sizeof plain) == 0);
  CHECK_STATUS(suite, DC_ERR_DECRYPT,
               dc_aead_decrypt(&device.dc, key, nonce, TEXT("dad"), whole, plain));
  CHECK(suite, is_zero(plain, sizeof plain));
  for (size_t i = 0; i < sizeof cipher; i++) {
    memset(plain, 0xee, sizeof plain);
    cipher[i] ^= 1;
    CHECK_STATUS(suite, DC_ERR_DECRYPT,
                 dc_aead_decrypt(&device.dc, key, nonce, TEXT("aad"), whole, plain));
    CHECK(suite, is_zero(plain, sizeof plain));
    cipher[i] ^= 1;
  }
  for (size_t length = 0; length < sizeof cipher; length++) {
    struct dc_bytes cut = {cipher, length};
    CHECK_STATUS(suite, DC_ERR_DECRYPT,
                 dc_aead_decrypt(&device.dc, key, nonce, TEXT("aad"), cut, plain));
  }
  device_stop(&device);
}

static void empty_text(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint8_t tag[DC_TAG_SIZE], none[1];
  struct dc_bytes nothing = {NULL, 0};
  device_start(&device, 41);
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_ENCRYPT | DC_USAGE_DECRYPT, &key));
  CHECK_STATUS(suite, 0, dc_aead_encrypt(&device.dc, key, nonce, nothing, nothing, tag));
  struct dc_bytes whole = {tag, sizeof tag};
  CHECK_STATUS(suite, 0, dc_aead_decrypt(&device.dc, key, nonce, nothing, whole, none));
  device_stop(&device);
}

struct carriage {
  struct device device;
  dc_handle carrier, opener, cargo;
  uint8_t cipher[DC_PREFIX_MAX + DC_KEY_SIZE + DC_TAG_SIZE];
};

static void carriage_start(struct suite *suite, struct carriage *c) {
  device_start(&c->device, 42);
  struct dc *dc = &c->device.dc;
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_WRAP | DC_USAGE_CARRIED, &c->carrier));
  CHECK_STATUS(suite, 0,
               dc_generate_key(dc, DC_USAGE_CARRIED | DC_USAGE_ENCRYPT_SEQUENCE, &c->cargo));
  c->opener = twin(suite, &c->device, c->carrier, DC_USAGE_DECRYPT);
}

static void carried_keys(struct suite *suite) {
  struct carriage c;
  uint8_t prefix[DC_PREFIX_MAX], expected[DC_PREFIX_MAX];
  dc_handle out;
  struct dc *dc = &c.device.dc;
  for (size_t i = 0; i < sizeof expected; i++) expected[i] = (uint8_t)i;
  const size_t lengths[] = {0, 1, 30, DC_PREFIX_MAX};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    struct dc_bytes before = {expected, lengths[i]};
    carriage_start(suite, &c);
    struct dc_bytes whole = {c.cipher, lengths[i] + DC_KEY_SIZE + DC_TAG_SIZE};
    CHECK_STATUS(suite, 0, dc_aead_encrypt_key(dc, c.carrier, nonce, TEXT("aad"), before, c.cargo,
                                               c.cipher));
    CHECK_STATUS(suite, 0, dc_aead_decrypt_key(dc, c.opener, nonce, TEXT("aad"), whole, lengths[i],
                                               DC_USAGE_DECRYPT, prefix, &out));
    CHECK(suite, memcmp(prefix, expected, lengths[i]) == 0);
    CHECK(suite, memcmp(slot_of(&c.device, out)->secret, slot_of(&c.device, c.cargo)->secret,
                        DC_KEY_SIZE) == 0);
    CHECK(suite, slot_of(&c.device, out)->usage == DC_USAGE_DECRYPT);
    CHECK_STATUS(suite, 0, dc_destroy_key(dc, out));
    c.cipher[0] ^= 1;
    CHECK_STATUS(suite, DC_ERR_DECRYPT,
                 dc_aead_decrypt_key(dc, c.opener, nonce, TEXT("aad"), whole, lengths[i],
                                     DC_USAGE_DECRYPT, prefix, &out));
    CHECK(suite, out == 0);
    device_stop(&c.device);
  }
  carriage_start(suite, &c);
  struct dc_bytes too_long = {c.cipher, DC_PREFIX_MAX + 1};
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_aead_encrypt_key(dc, c.carrier, nonce, TEXT("aad"),
                                                           too_long, c.cargo, c.cipher));
  device_stop(&c.device);
}

/* Authentic, but not of the length that was asked for. */
static void wrong_forms(struct suite *suite) {
  struct carriage c;
  uint8_t prefix[DC_PREFIX_MAX];
  dc_handle out;
  carriage_start(suite, &c);
  struct dc *dc = &c.device.dc;
  CHECK_STATUS(suite, 0, dc_aead_encrypt_key(dc, c.carrier, nonce, TEXT("aad"), TEXT("four"),
                                             c.cargo, c.cipher));
  struct dc_bytes whole = {c.cipher, 4 + DC_KEY_SIZE + DC_TAG_SIZE};
  const size_t lengths[] = {0, 3, 5, 20, 36, DC_PREFIX_MAX};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
    CHECK_STATUS(suite, DC_ERR_FORM,
                 dc_aead_decrypt_key(dc, c.opener, nonce, TEXT("aad"), whole, lengths[i],
                                     DC_USAGE_DECRYPT, prefix, &out));
  c.cipher[2] ^= 1; /* the tag is judged first */
  CHECK_STATUS(suite, DC_ERR_DECRYPT,
               dc_aead_decrypt_key(dc, c.opener, nonce, TEXT("aad"), whole, 3, DC_USAGE_DECRYPT,
                                   prefix, &out));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT,
               dc_aead_decrypt_key(dc, c.opener, nonce, TEXT("aad"), whole, DC_PREFIX_MAX + 1,
                                   DC_USAGE_DECRYPT, prefix, &out));
  static const uint8_t large[DC_INPUT_MAX] = {0};
  struct dc_bytes long_text = {large, sizeof large}, short_text = {large, DC_TAG_SIZE - 1};
  CHECK_STATUS(suite, DC_ERR_FORM,
               dc_aead_decrypt_key(dc, c.opener, nonce, TEXT("aad"), long_text, 4,
                                   DC_USAGE_DECRYPT, prefix, &out));
  CHECK_STATUS(suite, DC_ERR_DECRYPT,
               dc_aead_decrypt_key(dc, c.opener, nonce, TEXT("aad"), short_text, 4,
                                   DC_USAGE_DECRYPT, prefix, &out));
  CHECK(suite, taken_slots(&c.device) == 3 && free_slots_are_empty(&c.device));
  device_stop(&c.device);
}

static void derived_keys(struct suite *suite) {
  struct device device;
  dc_handle session, first, second, other;
  device_start(&device, 43);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_DERIVE, &session));
  CHECK_STATUS(suite, 0, dc_derive_key(dc, session, TEXT("receipt"), DC_USAGE_DECRYPT, &first));
  CHECK_STATUS(suite, 0, dc_derive_key(dc, session, TEXT("receipt"), DC_USAGE_DERIVE, &second));
  CHECK_STATUS(suite, 0, dc_derive_key(dc, session, TEXT("other"), DC_USAGE_DECRYPT, &other));
  const uint8_t *secret = slot_of(&device, first)->secret;
  CHECK(suite, memcmp(secret, slot_of(&device, second)->secret, DC_KEY_SIZE) == 0);
  CHECK(suite, memcmp(secret, slot_of(&device, other)->secret, DC_KEY_SIZE) != 0);
  CHECK(suite, memcmp(secret, slot_of(&device, session)->secret, DC_KEY_SIZE) != 0);
  device_stop(&device);
}

void test_aead(struct suite *suite) {
  texts(suite);
  empty_text(suite);
  carried_keys(suite);
  wrong_forms(suite);
  derived_keys(suite);
}

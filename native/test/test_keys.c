#include "suite.h"

/* Life of a handle, and the sizes of simple inputs. */

static void random_and_sizes(struct suite *suite) {
  struct device device;
  uint8_t a[32], b[32];
  static uint8_t large[DC_INPUT_MAX + 1];
  device_start(&device, 10);
  CHECK_STATUS(suite, 0, dc_generate_random(&device.dc, a, sizeof a));
  CHECK_STATUS(suite, 0, dc_generate_random(&device.dc, b, sizeof b));
  CHECK(suite, memcmp(a, b, sizeof a) != 0);
  CHECK_STATUS(suite, 0, dc_generate_random(&device.dc, a, 0));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_generate_random(&device.dc, large, sizeof large));
  struct dc_bytes longest = {large, DC_INPUT_MAX}, too_long = {large, DC_INPUT_MAX + 1};
  struct dc_bytes missing = {NULL, 1};
  CHECK_STATUS(suite, 0, dc_hash_compute(longest, a));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_hash_compute(too_long, a));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_hash_compute(missing, a));
  device_stop(&device);
}

static void stale_handles(struct suite *suite) {
  struct device device;
  dc_handle first, second;
  uint8_t nonce[DC_NONCE_SIZE] = {0}, out[DC_TAG_SIZE];
  struct dc_bytes nothing = {NULL, 0};
  device_start(&device, 11);
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_ENCRYPT, &first));
  CHECK(suite, first != 0);
  CHECK_STATUS(suite, 0, dc_destroy_key(&device.dc, first));
  CHECK(suite, free_slots_are_empty(&device));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_destroy_key(&device.dc, first));
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_ENCRYPT, &second));
  CHECK(suite, (first & 0xff) == (second & 0xff) && first != second);
  CHECK_STATUS(suite, DC_ERR_KEY, dc_aead_encrypt(&device.dc, first, nonce, nothing, nothing, out));
  CHECK_STATUS(suite, 0, dc_aead_encrypt(&device.dc, second, nonce, nothing, nothing, out));
  const dc_handle nonsense[] = {0, 1, 0xff, 0x100 + DC_SLOTS, second ^ 0x100, second + 1, 0x80000000u,
                                0xffffffffu};
  for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
    CHECK_STATUS(suite, DC_ERR_KEY, dc_destroy_key(&device.dc, nonsense[i]));
  dc_free(&device.dc);
  CHECK(suite, free_slots_are_empty(&device) && taken_slots(&device) == 0);
  CHECK_STATUS(suite, DC_ERR_KEY, dc_destroy_key(&device.dc, second));
  dc_handle third;
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_ENCRYPT, &third));
  CHECK(suite, third != second);
  device_stop(&device);
}

static void exhaustion(struct suite *suite) {
  struct device device;
  dc_handle keys[DC_SLOTS], one_more = 7;
  device_start(&device, 12);
  for (size_t i = 0; i < DC_SLOTS; i++)
    CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_DERIVE, &keys[i]));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_generate_key(&device.dc, DC_USAGE_DERIVE, &one_more));
  CHECK(suite, one_more == 0);
  CHECK_STATUS(suite, DC_ERR_KEY,
               dc_derive_key(&device.dc, keys[0], TEXT("x"), DC_USAGE_DECRYPT, &one_more));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_open_device_key(&device.dc, &one_more));
  CHECK(suite, device.port.writes == 0); /* no key was made for a slot that is not there */
  CHECK_STATUS(suite, 0, dc_destroy_key(&device.dc, keys[5]));
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_DERIVE, &one_more));
  CHECK(suite, (one_more & 0xff) == 5);
  device_stop(&device);
}

/* A slot at its last generation retires instead of starting over. */
static void retirement(struct suite *suite) {
  struct device device;
  dc_handle last, next;
  device_start(&device, 13);
  device.dc.slots[0].generation = 0x7fffff;
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_DERIVE, &last));
  CHECK(suite, last == 0x7fffff00u);
  CHECK_STATUS(suite, 0, dc_destroy_key(&device.dc, last));
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_DERIVE, &next));
  CHECK(suite, (next & 0xff) == 1);
  device_stop(&device);
}

static void device_key(struct suite *suite) {
  struct device device;
  dc_handle key, again;
  uint8_t public_key[DC_POINT_SIZE], signature[DC_SIGNATURE_SIZE];
  device_start(&device, 14);
  CHECK_STATUS(suite, 0, dc_open_device_key(&device.dc, &key));
  CHECK_STATUS(suite, 0, dc_open_device_key(&device.dc, &again));
  CHECK(suite, key == again && taken_slots(&device) == 1);
  CHECK_STATUS(suite, DC_ERR_KEY, dc_destroy_key(&device.dc, key));
  CHECK_STATUS(suite, 0, dc_export_public_key(&device.dc, key, public_key));
  CHECK(suite, public_key[0] == 0x04);
  CHECK_STATUS(suite, 0, dc_sign_message(&device.dc, key, TEXT("message"), signature));
  CHECK_STATUS(suite, 0, dc_verify_message(&device.dc, public_key, TEXT("message"), signature));
  CHECK_STATUS(suite, DC_ERR_SIGNATURE,
               dc_verify_message(&device.dc, public_key, TEXT("massage"), signature));
  for (size_t i = 0; i < DC_SIGNATURE_SIZE; i += 7) {
    signature[i] ^= 1;
    CHECK_STATUS(suite, DC_ERR_SIGNATURE,
                 dc_verify_message(&device.dc, public_key, TEXT("message"), signature));
    signature[i] ^= 1;
  }
  memset(signature, 0, sizeof signature); /* r = s = 0 is out of range */
  CHECK_STATUS(suite, DC_ERR_SIGNATURE,
               dc_verify_message(&device.dc, public_key, TEXT("message"), signature));
  memset(signature, 0xff, sizeof signature); /* r and s above n */
  CHECK_STATUS(suite, DC_ERR_SIGNATURE,
               dc_verify_message(&device.dc, public_key, TEXT("message"), signature));
  public_key[64] ^= 1;
  CHECK_STATUS(suite, DC_ERR_ARGUMENT,
               dc_verify_message(&device.dc, public_key, TEXT("message"), signature));
  device_stop(&device);
}

void test_keys(struct suite *suite) {
  random_and_sizes(suite);
  stale_handles(suite);
  exhaustion(suite);
  retirement(suite);
  device_key(suite);
}

#include "suite.h"

/* Pairs besides the device key: volatile ones, stored ones by id, sealed under a hardware key. */

static const struct dc_bytes next_id = {(const uint8_t *)"next", 4};

static void volatile_pairs(struct suite *suite) {
  struct device device;
  dc_handle signer, deriver, both, key;
  uint8_t point[DC_POINT_SIZE], signature[DC_SIGNATURE_SIZE], agreed[DC_AGREED_SIZE];
  uint8_t csr[DC_CSR_MAX];
  size_t length;
  device_start(&device, 100);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_generate_key_pair(dc, DC_USAGE_SIGN, &signer));
  CHECK_STATUS(suite, 0, dc_generate_key_pair(dc, DC_USAGE_DERIVE, &deriver));
  CHECK_STATUS(suite, 0, dc_generate_key_pair(dc, DC_USAGE_SIGN | DC_USAGE_DERIVE, &both));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, signer, point));
  CHECK_STATUS(suite, 0, dc_sign_message(dc, signer, TEXT("message"), signature));
  CHECK_STATUS(suite, 0, dc_verify_message(dc, point, TEXT("message"), signature));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_sign_message(dc, deriver, TEXT("message"), signature));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_write_csr(dc, deriver, csr, &length));
  CHECK_STATUS(suite, 0, dc_write_csr(dc, both, csr, &length));
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_CARRIED, &key));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, deriver, point));
  CHECK_STATUS(suite, 0, dc_key_agreement_wrap(dc, point, TEXT("c"), key, agreed));
  struct dc_bytes ephemeral = {agreed, DC_POINT_SIZE};
  CHECK_STATUS(suite, 0, dc_key_agreement_unwrap(dc, deriver, ephemeral, TEXT("c"),
                                                 agreed + DC_POINT_SIZE, DC_USAGE_DECRYPT, &key));
  CHECK_STATUS(suite, DC_ERR_KEY,
               dc_key_agreement_unwrap(dc, signer, ephemeral, TEXT("c"), agreed + DC_POINT_SIZE,
                                       DC_USAGE_DECRYPT, &key));
  const uint32_t refused[] = {0, DC_USAGE_ENCRYPT, DC_USAGE_SIGN | DC_USAGE_WRAP, 128, 256 + 1};
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
    CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_generate_key_pair(dc, refused[i], &key));
  CHECK_STATUS(suite, 0, dc_destroy_key(dc, signer));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_destroy_key(dc, signer));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_sign_message(dc, signer, TEXT("message"), signature));
  CHECK(suite, device.port.writes == 0 && free_slots_are_empty(&device));
  device_stop(&device);
}

static void slots_run_out(struct suite *suite) {
  struct device device;
  dc_handle key;
  device_start(&device, 101);
  for (unsigned i = 0; i < DC_SLOTS; i++)
    CHECK_STATUS(suite, 0, dc_generate_key_pair(&device.dc, DC_USAGE_SIGN, &key));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_generate_key_pair(&device.dc, DC_USAGE_SIGN, &key));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_open_key(&device.dc, next_id, &key));
  CHECK(suite, key == 0 && device.port.writes == 0);
  device_stop(&device);
}

/* A key roll: the second key lives beside the first, each with its own counter. */
static void two_keys(struct suite *suite) {
  struct device device;
  dc_handle old_key, new_key, again;
  uint32_t counter;
  uint8_t old_point[DC_POINT_SIZE], new_point[DC_POINT_SIZE], point[DC_POINT_SIZE];
  int present;
  device_start(&device, 102);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_has_key(dc, next_id, &present));
  CHECK(suite, !present && device.port.writes == 0);
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &old_key));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_next_counter(dc, next_id, &counter));
  CHECK_STATUS(suite, 0, dc_open_key(dc, next_id, &new_key));
  CHECK_STATUS(suite, 0, dc_open_key(dc, TEXT("device"), &again));
  CHECK(suite, again == old_key && new_key != old_key);
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, old_key, old_point));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, new_key, new_point));
  CHECK(suite, memcmp(old_point, new_point, DC_POINT_SIZE) != 0);
  for (uint32_t i = 1; i <= 3; i++) {
    CHECK_STATUS(suite, 0, dc_next_device_counter(dc, &counter));
    CHECK(suite, counter == i);
  }
  CHECK_STATUS(suite, 0, dc_next_counter(dc, next_id, &counter));
  CHECK(suite, counter == 1);
  CHECK_STATUS(suite, DC_ERR_KEY, dc_destroy_key(dc, new_key));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_move_counter(dc, TEXT("third"), 9));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_move_counter(dc, next_id, 0));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_move_counter(dc, TEXT(""), 9));
  CHECK_STATUS(suite, 0, dc_move_counter(dc, TEXT("device"), 900));
  CHECK_STATUS(suite, 0, dc_move_counter(dc, TEXT("device"), 900));
  CHECK_STATUS(suite, 0, dc_move_counter(dc, TEXT("device"), 2));
  device_restart(&device);
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &old_key));
  CHECK_STATUS(suite, 0, dc_next_device_counter(dc, &counter));
  CHECK(suite, counter == 901);
  CHECK_STATUS(suite, 0, dc_move_counter(dc, TEXT("device"), DC_COUNTER_MAX));
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_next_device_counter(dc, &counter));
  device_restart(&device);
  CHECK_STATUS(suite, 0, dc_open_key(dc, next_id, &new_key));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, new_key, point));
  CHECK(suite, memcmp(point, new_point, DC_POINT_SIZE) == 0);
  CHECK_STATUS(suite, 0, dc_next_counter(dc, next_id, &counter));
  CHECK(suite, counter == 2);
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &old_key));
  CHECK_STATUS(suite, 0, dc_erase_key(dc, TEXT("device")));
  CHECK_STATUS(suite, 0, dc_has_key(dc, TEXT("device"), &present));
  CHECK(suite, !present && dc_test_file(&device.port, "device-a") == NULL &&
                   dc_test_file(&device.port, "device-b") == NULL);
  CHECK_STATUS(suite, DC_ERR_KEY, dc_export_public_key(dc, old_key, point));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_next_device_counter(dc, &counter));
  CHECK_STATUS(suite, 0, dc_next_counter(dc, next_id, &counter));
  CHECK(suite, counter == 3 && free_slots_are_empty(&device));
  CHECK_STATUS(suite, 0, dc_erase_key(dc, TEXT("device")));
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &old_key));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, old_key, point));
  CHECK(suite, memcmp(point, old_point, DC_POINT_SIZE) != 0);
  device_stop(&device);
}

static void erasing_fails(struct suite *suite) {
  for (unsigned failure = 1; failure <= 2; failure++) {
    struct device device;
    dc_handle key;
    uint8_t point[DC_POINT_SIZE];
    int present;
    device_start(&device, 103);
    CHECK_STATUS(suite, 0, dc_open_key(&device.dc, next_id, &key));
    device.port.erase_fails_at = failure;
    CHECK_STATUS(suite, DC_ERR_STORE, dc_erase_key(&device.dc, next_id));
    CHECK_STATUS(suite, DC_ERR_KEY, dc_export_public_key(&device.dc, key, point));
    CHECK_STATUS(suite, 0, dc_has_key(&device.dc, next_id, &present));
    CHECK(suite, present && free_slots_are_empty(&device));
    CHECK_STATUS(suite, 0, dc_erase_key(&device.dc, next_id));
    CHECK_STATUS(suite, 0, dc_has_key(&device.dc, next_id, &present));
    CHECK(suite, !present);
    device.port.read_fails_at = device.port.reads + failure;
    CHECK_STATUS(suite, DC_ERR_STORE, dc_has_key(&device.dc, next_id, &present));
    device_stop(&device);
  }
}

static void ids(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint32_t counter;
  int present;
  const struct dc_bytes refused[] = {TEXT(""),    {NULL, 0}, TEXT("eleven-char"), TEXT("elevenchars"),
                                     TEXT("A"),   TEXT("-"), TEXT("a b"),         TEXT("a\0b"),
                                     TEXT("../x")};
  device_start(&device, 104);
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_open_key(&device.dc, refused[i], &key));
    CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_has_key(&device.dc, refused[i], &present));
    CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_next_counter(&device.dc, refused[i], &counter));
    CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_erase_key(&device.dc, refused[i]));
  }
  CHECK_STATUS(suite, 0, dc_open_key(&device.dc, TEXT("0123456789"), &key));
  CHECK(suite, dc_test_file(&device.port, "0123456789-a") != NULL);
  device_stop(&device);
}

static void four_open(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint32_t counter;
  const struct dc_bytes id[] = {TEXT("a"), TEXT("b"), TEXT("c")};
  device_start(&device, 105);
  for (size_t i = 0; i < 3; i++) CHECK_STATUS(suite, 0, dc_open_key(&device.dc, id[i], &key));
  device_restart(&device); /* 6 files are all that the test port holds */
  for (size_t i = 0; i < 3; i++) CHECK_STATUS(suite, 0, dc_open_key(&device.dc, id[i], &key));
  memset(device.port.files, 0, sizeof device.port.files);
  CHECK_STATUS(suite, 0, dc_open_key(&device.dc, TEXT("d"), &key));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_open_key(&device.dc, TEXT("e"), &key));
  CHECK_STATUS(suite, 0, dc_erase_key(&device.dc, TEXT("b")));
  CHECK_STATUS(suite, 0, dc_open_key(&device.dc, TEXT("e"), &key));
  CHECK_STATUS(suite, 0, dc_next_counter(&device.dc, TEXT("e"), &counter));
  CHECK(suite, counter == 1);
  device_stop(&device);
}

/* No key is made from numbers that are not random yet; keys that exist go on working. */
static void random_not_ready(struct suite *suite) {
  struct device device;
  dc_handle key, content;
  uint8_t point[DC_POINT_SIZE], agreed[DC_AGREED_SIZE], signature[DC_SIGNATURE_SIZE];
  device_start(&device, 106);
  struct dc *dc = &device.dc;
  device.port.random_not_ready = 1;
  CHECK_STATUS(suite, DC_ERR_RANDOM, dc_open_device_key(dc, &key));
  CHECK_STATUS(suite, DC_ERR_RANDOM, dc_generate_key_pair(dc, DC_USAGE_SIGN, &key));
  CHECK_STATUS(suite, DC_ERR_RANDOM, dc_generate_key(dc, DC_USAGE_ENCRYPT, &key));
  CHECK(suite, taken_slots(&device) == 0 && device.port.writes == 0);
  device.port.random_not_ready = 0;
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &key));
  device_restart(&device);
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_CARRIED, &content));
  device.port.random_not_ready = 1;
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &key));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, key, point));
  CHECK_STATUS(suite, 0, dc_sign_message(dc, key, TEXT("message"), signature));
  CHECK_STATUS(suite, DC_ERR_RANDOM, dc_key_agreement_wrap(dc, point, TEXT("c"), content, agreed));
  device_stop(&device);
}

static int file_holds(const struct dc_test_file *file, const uint8_t *secret) {
  for (size_t at = 0; at + DC_SCALAR_SIZE <= file->length; at++)
    if (memcmp(file->data + at, secret, DC_SCALAR_SIZE) == 0) return 1;
  return 0;
}

/* Under a hardware key nothing in the store opens on another chip. */
static void sealed(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint32_t counter;
  uint8_t secret[DC_SCALAR_SIZE], point[DC_POINT_SIZE], before[DC_POINT_SIZE];
  device_start(&device, 107);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &key));
  memcpy(secret, slot_of(&device, key)->secret, sizeof secret);
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, key, before));
  CHECK(suite, file_holds(dc_test_file(&device.port, "device-a"), secret));
  /* A plain record of before is taken, and written sealed from then on. */
  device.port.hardware_key = 7;
  device_restart(&device);
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &key));
  CHECK_STATUS(suite, 0, dc_next_device_counter(dc, &counter));
  CHECK_STATUS(suite, 0, dc_next_device_counter(dc, &counter));
  CHECK(suite, counter == 2);
  CHECK(suite, !file_holds(dc_test_file(&device.port, "device-a"), secret));
  CHECK(suite, !file_holds(dc_test_file(&device.port, "device-b"), secret));
  device_restart(&device);
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &key));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, key, point));
  CHECK(suite, memcmp(point, before, sizeof point) == 0);
  CHECK_STATUS(suite, 0, dc_next_device_counter(dc, &counter));
  CHECK(suite, counter == 3);
  struct dc_test_file *a = dc_test_file(&device.port, "device-a");
  for (size_t at = 0; at < a->length; at += 7) { /* one flipped bit costs the slot, not the key */
    struct device copy = device;
    struct dc_test_file *file = dc_test_file(&copy.port, "device-a");
    memset(&copy.dc, 0, sizeof copy.dc);
    file->data[at] ^= 4;
    if (at < file->length - 4)
      dc_put_u32(file->data + file->length - 4, dc_crc32(file->data, file->length - 4));
    device_restart(&copy);
    int status = dc_open_device_key(&copy.dc, &key);
    /* The public key is not sealed: another one there is two keys. */
    CHECK(suite, status == 0 || status == DC_ERR_STORE);
    if (status == 0) {
      CHECK_STATUS(suite, 0, dc_export_public_key(&copy.dc, key, point));
      CHECK(suite, memcmp(point, before, sizeof point) == 0);
    }
    device_stop(&copy);
  }
  device.port.hardware_key = 8;
  device_restart(&device);
  CHECK_STATUS(suite, DC_ERR_STORE, dc_open_device_key(dc, &key));
  device.port.hardware_key = 0;
  device_restart(&device);
  CHECK_STATUS(suite, DC_ERR_STORE, dc_open_device_key(dc, &key));
  device.port.hardware_key = 7;
  device.port.hardware_key_fails = 1;
  device_restart(&device);
  CHECK_STATUS(suite, DC_ERR_STORE, dc_open_device_key(dc, &key));
  device.port.hardware_key_fails = 0;
  device_restart(&device);
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &key));
  device.port.hardware_key_fails = 1;
  CHECK_STATUS(suite, DC_ERR_STORE, dc_next_device_counter(dc, &counter));
  device.port.hardware_key_fails = 0;
  device.port.random_fails_at = device.port.random_calls + 1;
  CHECK_STATUS(suite, DC_ERR_RANDOM, dc_next_device_counter(dc, &counter));
  CHECK_STATUS(suite, 0, dc_next_device_counter(dc, &counter));
  CHECK(suite, counter == 4);
  device_stop(&device);
}

void test_stored_keys(struct suite *suite) {
  volatile_pairs(suite);
  slots_run_out(suite);
  two_keys(suite);
  erasing_fails(suite);
  ids(suite);
  four_open(suite);
  random_not_ready(suite);
  sealed(suite);
}

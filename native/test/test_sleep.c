#include "suite.h"

#include <stddef.h>

/* Deep sleep: a session's key and number outlast it inside the module, once, and nothing else does. */

#define USAGE (DC_USAGE_ENCRYPT_SEQUENCE | DC_USAGE_DERIVE | DC_USAGE_CARRIED)
#define AT_VERSION 4u
#define AT_USAGE 5u
#define AT_SEQUENCE 6u
#define AT_CRC 38u

static const struct dc_bytes nothing = {NULL, 0};

static void start_with_session(struct suite *suite, struct device *device, uint64_t seed,
                               dc_handle *key) {
  device_start(device, seed);
  CHECK_STATUS(suite, 0, dc_generate_key(&device->dc, USAGE, key));
}

/* A reset, which was a wake from deep sleep or was not. */
static int wake(struct device *device, int from_sleep, dc_handle *key) {
  device_restart(device);
  device->port.sleep.woke = from_sleep;
  return dc_resume_session(&device->dc, key);
}

static int is_forgotten(const struct device *device) {
  static const uint8_t zeros[DC_SLEEP_SIZE];
  const struct dc_test_sleep *sleep = &device->port.sleep;
  return sleep->length == 0 && memcmp(sleep->data, zeros, sizeof zeros) == 0;
}

static int has_no_key(const struct device *device, dc_handle key) {
  return key == 0 && taken_slots(device) == 0 && free_slots_are_empty(device);
}

static unsigned count(const uint8_t *bytes, size_t length, const uint8_t secret[DC_KEY_SIZE]) {
  unsigned found = 0;
  for (size_t i = 0; i + DC_KEY_SIZE <= length; i++)
    found += memcmp(bytes + i, secret, DC_KEY_SIZE) == 0;
  return found;
}

/* How often the key is in the module and in what the port keeps. Not in the module's copy
 * of the port's functions, whose padding nobody has written. */
static unsigned copies(const struct device *device, const uint8_t secret[DC_KEY_SIZE]) {
  const struct dc *dc = &device->dc;
  size_t after_port = offsetof(struct dc, slots);
  return count((const uint8_t *)dc + after_port, sizeof *dc - after_port, secret) +
         count((const uint8_t *)&device->port, sizeof device->port, secret);
}

/* Ten nights: numbers go up by one, and by two where one was left open. */
static void numbers_go_on(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint32_t number, last = 0;
  uint8_t out[DC_TAG_SIZE], iv[DC_NONCE_SIZE], iv_before[DC_NONCE_SIZE], secret[DC_KEY_SIZE];
  start_with_session(suite, &device, 120, &key);
  memcpy(secret, slot_of(&device, key)->secret, sizeof secret);
  CHECK_STATUS(suite, 0, dc_export_base_iv(&device.dc, key, iv_before));
  for (int night = 0; night < 10; night++) {
    CHECK_STATUS(suite, 0, dc_reserve_sequence(&device.dc, key, &number));
    CHECK(suite, number == ++last);
    CHECK_STATUS(suite, 0,
                 dc_aead_encrypt_sequence(&device.dc, key, number, nothing, nothing, out));
    if (night % 2 == 1) {
      CHECK_STATUS(suite, 0, dc_reserve_sequence(&device.dc, key, &number));
      last++;
    }
    CHECK_STATUS(suite, 0, dc_keep_session(&device.dc, key));
    CHECK(suite, copies(&device, secret) == 1);
    CHECK(suite, memcmp(device.port.sleep.data + AT_CRC - DC_KEY_SIZE, secret, DC_KEY_SIZE) == 0);
    CHECK_STATUS(suite, 0, wake(&device, 1, &key));
    CHECK(suite, is_forgotten(&device) && copies(&device, secret) == 1);
    CHECK_STATUS(suite, DC_ERR_SEQUENCE,
                 dc_aead_encrypt_sequence(&device.dc, key, number, nothing, nothing, out));
    CHECK(suite, slot_of(&device, key)->usage == USAGE);
    CHECK_STATUS(suite, 0, dc_export_base_iv(&device.dc, key, iv));
    CHECK(suite, memcmp(iv, iv_before, sizeof iv) == 0);
  }
  dc_handle derived;
  CHECK_STATUS(suite, 0, dc_derive_key(&device.dc, key, TEXT("info"), DC_USAGE_DECRYPT, &derived));
  device_stop(&device);
}

static void limit_stays(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint32_t number;
  start_with_session(suite, &device, 121, &key);
  slot_of(&device, key)->sequence = DC_SEQUENCE_MAX;
  CHECK_STATUS(suite, 0, dc_keep_session(&device.dc, key));
  CHECK_STATUS(suite, 0, wake(&device, 1, &key));
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_reserve_sequence(&device.dc, key, &number));
  device_stop(&device);
}

static void handle_is_dead(struct suite *suite) {
  struct device device;
  dc_handle key, other;
  uint32_t number;
  uint8_t out[DC_TAG_SIZE], iv[DC_NONCE_SIZE];
  start_with_session(suite, &device, 122, &key);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_reserve_sequence(dc, key, &number));
  CHECK_STATUS(suite, 0, dc_keep_session(dc, key));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_aead_encrypt_sequence(dc, key, number, nothing, nothing, out));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_reserve_sequence(dc, key, &number));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_export_base_iv(dc, key, iv));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_derive_key(dc, key, nothing, DC_USAGE_DECRYPT, &other));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_keep_session(dc, key));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_destroy_key(dc, key));
  CHECK(suite, has_no_key(&device, 0));
  /* Nor does it name the key that comes back, into the same slot. */
  device.port.sleep.woke = 1;
  CHECK_STATUS(suite, 0, dc_resume_session(dc, &other));
  CHECK(suite, other != key);
  CHECK_STATUS(suite, DC_ERR_KEY, dc_reserve_sequence(dc, key, &number));
  device_stop(&device);
}

static void once(struct suite *suite) {
  struct device device;
  dc_handle key, again;
  start_with_session(suite, &device, 123, &key);
  CHECK_STATUS(suite, 0, dc_keep_session(&device.dc, key));
  CHECK_STATUS(suite, 0, wake(&device, 1, &key));
  CHECK_STATUS(suite, DC_ABSENT, dc_resume_session(&device.dc, &again));
  CHECK(suite, again == 0 && taken_slots(&device) == 1);
  CHECK_STATUS(suite, DC_ABSENT, wake(&device, 1, &again));
  CHECK(suite, has_no_key(&device, again));
  device_stop(&device);
}

static void power_loss(struct suite *suite) {
  struct device device;
  dc_handle key;
  start_with_session(suite, &device, 124, &key);
  CHECK_STATUS(suite, 0, dc_keep_session(&device.dc, key));
  CHECK_STATUS(suite, DC_ABSENT, wake(&device, 0, &key));
  CHECK(suite, has_no_key(&device, key) && is_forgotten(&device));
  CHECK_STATUS(suite, DC_ABSENT, wake(&device, 1, &key));
  device_stop(&device);
}

/* One session: the last one kept, and the other is gone. */
static void last_one_counts(struct suite *suite) {
  struct device device;
  dc_handle first, second;
  uint8_t kept[DC_NONCE_SIZE], iv[DC_NONCE_SIZE];
  start_with_session(suite, &device, 125, &first);
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, USAGE, &second));
  CHECK_STATUS(suite, 0, dc_export_base_iv(&device.dc, second, kept));
  CHECK_STATUS(suite, 0, dc_keep_session(&device.dc, first));
  CHECK_STATUS(suite, 0, dc_keep_session(&device.dc, second));
  CHECK_STATUS(suite, 0, wake(&device, 1, &first));
  CHECK_STATUS(suite, 0, dc_export_base_iv(&device.dc, first, iv));
  CHECK(suite, memcmp(iv, kept, sizeof iv) == 0);
  CHECK_STATUS(suite, DC_ABSENT, dc_resume_session(&device.dc, &second));
  device_stop(&device);
}

static void damaged(struct suite *suite) {
  struct device device;
  dc_handle key;
  struct dc_test_sleep kept;
  start_with_session(suite, &device, 126, &key);
  CHECK_STATUS(suite, 0, dc_keep_session(&device.dc, key));
  kept = device.port.sleep;
  CHECK(suite, kept.length == DC_SLEEP_SIZE);
  for (size_t bit = 0; bit < 8 * DC_SLEEP_SIZE; bit++) {
    device.port.sleep = kept;
    device.port.sleep.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK_STATUS(suite, DC_ABSENT, wake(&device, 1, &key));
    CHECK(suite, has_no_key(&device, key) && is_forgotten(&device));
  }
  for (size_t length = 0; length <= DC_SLEEP_SIZE + 1; length++) {
    device.port.sleep = kept;
    device.port.sleep.length = length;
    CHECK_STATUS(suite, length == DC_SLEEP_SIZE ? 0 : DC_ABSENT, wake(&device, 1, &key));
    CHECK(suite, is_forgotten(&device));
  }
  device_stop(&device);
}

/* Whole by its CRC, but nothing that this version keeps. */
static void foreign(struct suite *suite) {
  struct device device;
  dc_handle key;
  struct dc_test_sleep kept;
  static const struct {
    size_t at;
    uint8_t value;
  } changes[] = {{0, 'x'},
                 {AT_VERSION, 2},
                 {AT_USAGE, 0},
                 {AT_USAGE, DC_USAGE_ENCRYPT},
                 {AT_USAGE, DC_USAGE_SIGN | DC_USAGE_ENCRYPT_SEQUENCE},
                 {AT_USAGE, DC_USAGE_ENCRYPT | DC_USAGE_ENCRYPT_SEQUENCE},
                 {AT_USAGE, DC_USAGE_WRAP | DC_USAGE_ENCRYPT_SEQUENCE},
                 {AT_USAGE, 128 | DC_USAGE_ENCRYPT_SEQUENCE},
                 {AT_SEQUENCE, 1}};
  start_with_session(suite, &device, 127, &key);
  CHECK_STATUS(suite, 0, dc_keep_session(&device.dc, key));
  kept = device.port.sleep;
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    struct dc_test_sleep *sleep = &device.port.sleep;
    *sleep = kept;
    sleep->data[changes[i].at] = changes[i].value;
    dc_put_u32(sleep->data + AT_CRC, dc_crc32(sleep->data, AT_CRC));
    CHECK_STATUS(suite, DC_ABSENT, wake(&device, 1, &key));
    CHECK(suite, has_no_key(&device, key) && is_forgotten(&device));
  }
  device_stop(&device);
}

static void port_failures(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint32_t number;
  uint8_t out[DC_TAG_SIZE];
  start_with_session(suite, &device, 128, &key);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_reserve_sequence(dc, key, &number));
  device.port.sleep.keep_fails_at = 1;
  CHECK_STATUS(suite, DC_ERR_STORE, dc_keep_session(dc, key));
  CHECK(suite, is_forgotten(&device));
  CHECK_STATUS(suite, 0, dc_aead_encrypt_sequence(dc, key, number, nothing, nothing, out));
  CHECK_STATUS(suite, 0, dc_keep_session(dc, key));
  device.port.sleep.take_fails_at = 1;
  CHECK_STATUS(suite, DC_ABSENT, wake(&device, 1, &key));
  CHECK(suite, has_no_key(&device, key) && is_forgotten(&device));
  CHECK_STATUS(suite, DC_ABSENT, wake(&device, 1, &key));
  device_stop(&device);
}

static void only_counted_keys(struct suite *suite) {
  struct device device;
  dc_handle device_key, pair, key;
  device_start(&device, 129);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &device_key));
  CHECK_STATUS(suite, 0, dc_generate_key_pair(dc, DC_USAGE_DERIVE, &pair));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_keep_session(dc, device_key));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_keep_session(dc, pair));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_keep_session(dc, 0));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_keep_session(dc, DC_SLOTS - 1));
  for (uint32_t usage = DC_USAGE_DERIVE; usage <= DC_USAGE_CARRIED; usage <<= 1) {
    CHECK_STATUS(suite, 0, dc_generate_key(dc, usage, &key));
    CHECK_STATUS(suite, usage == DC_USAGE_ENCRYPT_SEQUENCE ? 0 : DC_ERR_KEY,
                 dc_keep_session(dc, key));
  }
  CHECK(suite, device.port.sleep.keeps == 1);
  device_stop(&device);
}

/* What cannot be taken in is not lost. */
static void slots_full(struct suite *suite) {
  struct device device;
  dc_handle key, others[DC_SLOTS];
  start_with_session(suite, &device, 130, &key);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_keep_session(dc, key));
  device.port.sleep.woke = 1;
  for (size_t i = 0; i < DC_SLOTS; i++)
    CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_ENCRYPT, &others[i]));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_resume_session(dc, &key));
  CHECK(suite, key == 0 && device.port.sleep.takes == 0);
  CHECK_STATUS(suite, 0, dc_destroy_key(dc, others[0]));
  CHECK_STATUS(suite, 0, dc_resume_session(dc, &key));
  device_stop(&device);
}

static void not_on_this_port(struct suite *suite) {
  struct device device;
  dc_handle key, resumed;
  uint32_t number;
  start_with_session(suite, &device, 131, &key);
  const struct dc_port whole = device.dc.port;
  for (int missing = 0; missing < 2; missing++) {
    device.dc.port = whole;
    if (missing == 0) device.dc.port.sleep_keep = NULL;
    if (missing == 1) device.dc.port.sleep_take = NULL;
    CHECK_STATUS(suite, DC_ERR_UNSUPPORTED, dc_keep_session(&device.dc, key));
    CHECK_STATUS(suite, DC_ERR_UNSUPPORTED, dc_resume_session(&device.dc, &resumed));
    CHECK(suite, resumed == 0);
    CHECK_STATUS(suite, 0, dc_reserve_sequence(&device.dc, key, &number));
  }
  CHECK(suite, device.port.sleep.keeps == 0 && device.port.sleep.takes == 0);
  device_stop(&device);
}

static void erased_with_all(struct suite *suite) {
  struct device device;
  dc_handle key;
  start_with_session(suite, &device, 132, &key);
  CHECK_STATUS(suite, 0, dc_keep_session(&device.dc, key));
  CHECK_STATUS(suite, 0, dc_erase_all(&device.dc));
  CHECK(suite, is_forgotten(&device));
  CHECK_STATUS(suite, DC_ABSENT, wake(&device, 1, &key));
  device_stop(&device);
}

static void tells_reset_reason(struct suite *suite) {
  struct device device;
  device_start(&device, 133);
  for (int reason = DC_RESET_UNKNOWN; reason <= DC_RESET_BROWNOUT; reason++) {
    device.port.reset_reason = reason;
    CHECK(suite, dc_reset_reason(&device.dc) == (uint32_t)reason);
  }
  static const int foreign[] = {-1, DC_RESET_BROWNOUT + 1, 255, 256, -2147483647 - 1, 2147483647};
  for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
    device.port.reset_reason = foreign[i];
    CHECK(suite, dc_reset_reason(&device.dc) == DC_RESET_UNKNOWN);
  }
  device.port.reset_reason = DC_RESET_PANIC;
  device.dc.port.reset_reason = NULL;
  CHECK(suite, dc_reset_reason(&device.dc) == DC_RESET_UNKNOWN);
  device_stop(&device);
}

void test_sleep(struct suite *suite) {
  numbers_go_on(suite);
  limit_stays(suite);
  handle_is_dead(suite);
  once(suite);
  power_loss(suite);
  last_one_counts(suite);
  damaged(suite);
  foreign(suite);
  port_failures(suite);
  only_counted_keys(suite);
  slots_full(suite);
  not_on_this_port(suite);
  erased_with_all(suite);
  tells_reset_reason(suite);
}

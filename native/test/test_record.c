#include "suite.h"

/* The device key record: what damage, power cuts and old copies do to key and counter. */

#define A "device-a"
#define B "device-b"

static void open_with_counter(struct suite *suite, struct device *device, unsigned steps) {
  dc_handle key;
  uint32_t counter;
  CHECK_STATUS(suite, 0, dc_open_device_key(&device->dc, &key));
  for (unsigned i = 1; i <= steps; i++) {
    CHECK_STATUS(suite, 0, dc_next_device_counter(&device->dc, &counter));
    CHECK(suite, counter == i);
  }
}

static void expect_public_key(struct suite *suite, struct device *device,
                              const uint8_t expected[DC_POINT_SIZE]) {
  dc_handle key;
  uint8_t public_key[DC_POINT_SIZE] = {0};
  CHECK_STATUS(suite, 0, dc_open_device_key(&device->dc, &key));
  CHECK_STATUS(suite, 0, dc_export_public_key(&device->dc, key, public_key));
  CHECK(suite, memcmp(public_key, expected, DC_POINT_SIZE) == 0);
}

static void get_public_key(struct suite *suite, struct device *device, uint8_t out[DC_POINT_SIZE]) {
  dc_handle key;
  CHECK_STATUS(suite, 0, dc_open_device_key(&device->dc, &key));
  CHECK_STATUS(suite, 0, dc_export_public_key(&device->dc, key, out));
}

static void expect_counter(struct suite *suite, struct device *device, uint32_t expected) {
  uint32_t counter = 0;
  CHECK_STATUS(suite, 0, dc_next_device_counter(&device->dc, &counter));
  CHECK(suite, counter == expected);
  if (counter != expected) printf("  counter %u, expected %u\n", counter, expected);
}

static void survives_reset(struct suite *suite) {
  struct device device;
  uint8_t public_key[DC_POINT_SIZE];
  uint32_t counter;
  device_start(&device, 60);
  CHECK_STATUS(suite, DC_ERR_KEY, dc_next_device_counter(&device.dc, &counter));
  open_with_counter(suite, &device, 5);
  get_public_key(suite, &device, public_key);
  for (uint32_t next = 6; next < 10; next++) {
    device_restart(&device);
    expect_public_key(suite, &device, public_key);
    expect_counter(suite, &device, next);
  }
  device_stop(&device);
}

typedef void (*damage)(struct dc_test_file *file);

static void flip_first(struct dc_test_file *file) { file->data[0] ^= 1; }
static void flip_version(struct dc_test_file *file) { file->data[4] ^= 3; }
static void flip_counter(struct dc_test_file *file) { file->data[16] ^= 1; }
static void flip_last(struct dc_test_file *file) { file->data[file->length - 1] ^= 0x80; }
static void cut(struct dc_test_file *file) { file->length--; }
static void lengthen(struct dc_test_file *file) { file->length++; }
static void blank(struct dc_test_file *file) { memset(file->data, 0xff, sizeof file->data); }
static void empty(struct dc_test_file *file) { file->length = 0; }
static void remove_file(struct dc_test_file *file) { memset(file, 0, sizeof *file); }

static const damage damages[] = {flip_first, flip_version, flip_counter, flip_last, cut,
                                 lengthen,   blank,        empty,        remove_file};
#define DAMAGES (sizeof damages / sizeof damages[0])

/* One slot: same key, the counter jumps once and is written. */
static void one_damaged(struct suite *suite, damage inflict, const char *id) {
  struct device device;
  uint8_t public_key[DC_POINT_SIZE];
  device_start(&device, 61);
  open_with_counter(suite, &device, 4);
  get_public_key(suite, &device, public_key);
  /* Records 1 and 2 came with the key; counter 3 is in A, 4 in B, the newest. */
  uint32_t surviving = strcmp(id, A) == 0 ? 4 : 3;
  inflict(dc_test_file(&device.port, id));
  device_restart(&device);
  expect_public_key(suite, &device, public_key);
  device_restart(&device); /* the jump was written at the first opening: no second one */
  expect_public_key(suite, &device, public_key);
  expect_counter(suite, &device, surviving + DC_COUNTER_JUMP + 1);
  device_restart(&device);
  expect_public_key(suite, &device, public_key);
  expect_counter(suite, &device, surviving + DC_COUNTER_JUMP + 2);
  device_stop(&device);
}

/* A damaged slot a and no slot b: a first write that was cut. The key is made, and stays. */
static void first_write_cut(struct suite *suite, damage inflict) {
  struct device device;
  dc_handle key;
  uint32_t counter;
  uint8_t point[DC_POINT_SIZE];
  device_start(&device, 66);
  open_with_counter(suite, &device, 0);
  inflict(dc_test_file(&device.port, A));
  remove_file(dc_test_file(&device.port, B));
  device_restart(&device);
  CHECK_STATUS(suite, 0, dc_open_device_key(&device.dc, &key));
  CHECK_STATUS(suite, 0, dc_export_public_key(&device.dc, key, point));
  device_restart(&device);
  CHECK_STATUS(suite, 0, dc_open_device_key(&device.dc, &key));
  expect_public_key(suite, &device, point);
  CHECK_STATUS(suite, 0, dc_next_device_counter(&device.dc, &counter));
  CHECK(suite, counter == 1); /* both slots were there: no jump */
  device_stop(&device);
}

/* Both slots: an error, every time, and nothing is written. */
static void both_damaged(struct suite *suite, damage first, damage second) {
  struct device device;
  dc_handle key = 5;
  uint32_t counter;
  device_start(&device, 62);
  open_with_counter(suite, &device, 1);
  first(dc_test_file(&device.port, A));
  second(dc_test_file(&device.port, B));
  unsigned writes = device.port.writes;
  for (int i = 0; i < 2; i++) {
    device_restart(&device);
    CHECK_STATUS(suite, DC_ERR_STORE, dc_open_device_key(&device.dc, &key));
    CHECK_STATUS(suite, DC_ERR_KEY, dc_next_device_counter(&device.dc, &counter));
    CHECK(suite, key == 0 && free_slots_are_empty(&device));
  }
  CHECK(suite, device.port.writes == writes);
  device_stop(&device);
}

/* One slot put back from an old copy: its neighbour is not its successor, so the counter jumps. */
static void old_copy(struct suite *suite) {
  struct device device;
  uint32_t counter;
  device_start(&device, 63);
  open_with_counter(suite, &device, 2);
  struct dc_test_file copy = *dc_test_file(&device.port, B);
  for (int i = 0; i < 6; i++) CHECK_STATUS(suite, 0, dc_next_device_counter(&device.dc, &counter));
  *dc_test_file(&device.port, B) = copy; /* held counter 8; now A's 7 is the newest */
  device_restart(&device);
  open_with_counter(suite, &device, 0);
  expect_counter(suite, &device, 7 + DC_COUNTER_JUMP + 1);
  device_stop(&device);
}

/* Records of two devices in one store are no one's. */
static void mixed_devices(struct suite *suite) {
  struct device device, other;
  dc_handle key;
  device_start(&device, 64);
  device_start(&other, 65);
  open_with_counter(suite, &device, 2);
  open_with_counter(suite, &other, 5);
  *dc_test_file(&device.port, A) = *dc_test_file(&other.port, A);
  device_restart(&device);
  CHECK_STATUS(suite, DC_ERR_STORE, dc_open_device_key(&device.dc, &key));
  device_stop(&device);
  device_stop(&other);
}

/* A record whose checksum is right and whose public key is not the private key's. */
static void foreign_public_key(struct suite *suite) {
  struct device device;
  dc_handle key;
  device_start(&device, 66);
  open_with_counter(suite, &device, 0);
  const char *const ids[] = {A, B};
  for (size_t i = 0; i < 2; i++) {
    struct dc_test_file *file = dc_test_file(&device.port, ids[i]);
    file->data[20] ^= 1;
    dc_put_u32(file->data + file->length - 4, dc_crc32(file->data, file->length - 4));
  }
  device_restart(&device);
  CHECK_STATUS(suite, DC_ERR_STORE, dc_open_device_key(&device.dc, &key));
  CHECK(suite, free_slots_are_empty(&device));
  device_stop(&device);
}

static void counter_limit(struct suite *suite) {
  struct device device;
  uint32_t counter = 1;
  device_start(&device, 67);
  open_with_counter(suite, &device, 1);
  device.dc.stored_keys[0].counter = DC_COUNTER_MAX - 2;
  expect_counter(suite, &device, DC_COUNTER_MAX - 1);
  expect_counter(suite, &device, DC_COUNTER_MAX);
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_next_device_counter(&device.dc, &counter));
  CHECK(suite, counter == 0);
  device_restart(&device);
  open_with_counter(suite, &device, 0);
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_next_device_counter(&device.dc, &counter));
  flip_first(dc_test_file(&device.port, A)); /* the jump stops at the limit */
  device_restart(&device);
  open_with_counter(suite, &device, 0);
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_next_device_counter(&device.dc, &counter));
  device_stop(&device);
}

void test_record(struct suite *suite) {
  survives_reset(suite);
  for (size_t i = 0; i < DAMAGES; i++) {
    one_damaged(suite, damages[i], A);
    one_damaged(suite, damages[i], B);
    for (size_t j = 0; j < DAMAGES; j++)
      if (damages[j] != remove_file) both_damaged(suite, damages[i], damages[j]);
    first_write_cut(suite, damages[i]);
  }
  old_copy(suite);
  mixed_devices(suite);
  foreign_public_key(suite);
  counter_limit(suite);
}

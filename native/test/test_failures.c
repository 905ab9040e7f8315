#include "suite.h"

/* Each call to the port fails in turn: the error is the right one, and nothing is left behind. */

struct attempt {
  struct device device;
  dc_handle device_key, cek;
  uint8_t public_key[DC_POINT_SIZE];
};

typedef int (*operation)(struct attempt *attempt);

static int try_random(struct attempt *attempt) {
  uint8_t out[16];
  return dc_generate_random(&attempt->device.dc, out, sizeof out);
}

static int try_generate(struct attempt *attempt) {
  dc_handle key;
  return dc_generate_key(&attempt->device.dc, DC_USAGE_ENCRYPT_SEQUENCE, &key);
}

static int try_sign(struct attempt *attempt) {
  uint8_t signature[DC_SIGNATURE_SIZE];
  return dc_sign_message(&attempt->device.dc, attempt->device_key, TEXT("message"), signature);
}

static int try_wrap(struct attempt *attempt) {
  uint8_t out[DC_AGREED_SIZE];
  return dc_key_agreement_wrap(&attempt->device.dc, attempt->public_key, TEXT("c"), attempt->cek,
                               out);
}

/* Blinding takes random bytes on the receiver's side too; the wrap itself is forged. */
static int try_unwrap(struct attempt *attempt) {
  static const uint8_t wrapped[DC_WRAPPED_SIZE] = {0};
  struct dc_bytes point = {attempt->public_key, DC_POINT_SIZE};
  dc_handle key;
  int status = dc_key_agreement_unwrap(&attempt->device.dc, attempt->device_key, point, TEXT("c"),
                                       wrapped, DC_USAGE_DECRYPT, &key);
  return status == DC_ERR_DECRYPT ? 0 : status;
}

static int try_reopen(struct attempt *attempt) {
  dc_handle key;
  device_restart(&attempt->device);
  return dc_open_device_key(&attempt->device.dc, &key);
}

static int try_first_boot(struct attempt *attempt) {
  dc_handle key;
  memset(attempt->device.port.files, 0, sizeof attempt->device.port.files);
  device_restart(&attempt->device);
  return dc_open_device_key(&attempt->device.dc, &key);
}

static int try_pair(struct attempt *attempt) {
  dc_handle key;
  return dc_generate_key_pair(&attempt->device.dc, DC_USAGE_SIGN, &key);
}

static int try_request(struct attempt *attempt) {
  uint8_t csr[DC_CSR_MAX];
  size_t length;
  return dc_write_csr(&attempt->device.dc, attempt->device_key, csr, &length);
}

static int try_second_key(struct attempt *attempt) {
  dc_handle key;
  device_restart(&attempt->device);
  return dc_open_key(&attempt->device.dc, TEXT("next"), &key);
}

static void attempt_start(struct suite *suite, struct attempt *attempt) {
  device_start(&attempt->device, 70);
  struct dc *dc = &attempt->device.dc;
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &attempt->device_key));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, attempt->device_key, attempt->public_key));
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_CARRIED, &attempt->cek));
}

static void random_failures(struct suite *suite, operation attempted) {
  struct attempt attempt;
  attempt_start(suite, &attempt);
  unsigned failures = 0;
  for (int status = DC_ERR_RANDOM; status != 0 && failures < 100; failures++) {
    struct dc_test_port *port = &attempt.device.port;
    unsigned taken = taken_slots(&attempt.device);
    port->random_fails_at = port->random_calls + failures + 1;
    status = attempted(&attempt);
    if (status == 0) break;
    CHECK_STATUS(suite, DC_ERR_RANDOM, status);
    CHECK(suite, taken_slots(&attempt.device) <= taken && free_slots_are_empty(&attempt.device));
  }
  CHECK(suite, failures > 0 && failures < 100);
  device_stop(&attempt.device);
}

static void read_failures(struct suite *suite, operation attempted) {
  struct attempt attempt;
  attempt_start(suite, &attempt);
  unsigned failures = 0;
  for (; failures < 100; failures++) {
    attempt.device.port.read_fails_at = attempt.device.port.reads + failures + 1;
    int status = attempted(&attempt);
    if (status == 0) break;
    CHECK_STATUS(suite, DC_ERR_STORE, status);
    CHECK(suite, taken_slots(&attempt.device) == 0 && free_slots_are_empty(&attempt.device));
  }
  CHECK(suite, failures >= 2 && failures < 100);
  device_stop(&attempt.device);
}

/* What a device does at every boot, three signed messages long; keeps each value handed out. */
static unsigned boot(struct suite *suite, struct device *device, uint32_t *highest) {
  dc_handle key;
  unsigned errors = 0;
  device_restart(device);
  int status = dc_open_device_key(&device->dc, &key);
  for (int i = 0; status == 0 && i < 3; i++) {
    uint32_t counter = 0;
    int result = dc_next_device_counter(&device->dc, &counter);
    if (result == 0) {
      CHECK(suite, counter > *highest);
      *highest = counter;
    }
    errors += result != 0;
  }
  return errors + (status != 0);
}

/* A power cut, or a broken write, at each store write in turn: no counter twice, one key for ever. */
static void cut_at_each_write(struct suite *suite, enum dc_test_failure failure) {
  for (unsigned cut = 1; cut <= 12; cut++) {
    struct device device;
    uint32_t highest = 0;
    dc_handle key;
    uint8_t before[DC_POINT_SIZE] = {0}, after[DC_POINT_SIZE] = {0};
    device_start(&device, 80 + cut);
    device.port.write_fails_at = cut;
    device.port.write_failure = failure;
    unsigned errors = 0;
    for (int i = 0; i < 2; i++) errors += boot(suite, &device, &highest);
    if (dc_open_device_key(&device.dc, &key) == 0)
      CHECK_STATUS(suite, 0, dc_export_public_key(&device.dc, key, before));
    for (int i = 0; i < 3; i++) errors += boot(suite, &device, &highest);
    CHECK(suite, errors > 0);
    /* Also when not even the first record came to be: no key was given out yet. */
    CHECK_STATUS(suite, 0, dc_open_device_key(&device.dc, &key));
    CHECK_STATUS(suite, 0, dc_export_public_key(&device.dc, key, after));
    CHECK(suite, memcmp(before, after, sizeof after) == 0);
    CHECK(suite, highest >= 12); /* four boots of five, at the least */
    device_stop(&device);
  }
}

/*
 * The write of a key's record after `counters` values, none: the key's first, torn after each
 * of its bytes. The key stays, no counter comes twice, and the other key is as it was.
 */
static unsigned torn_at_each_byte(struct suite *suite, struct dc_bytes id, unsigned counters) {
  static const struct dc_bytes other = {(const uint8_t *)"other", 5};
  unsigned torn_writes = 0;
  struct device device;
  dc_handle key, others;
  uint32_t counter = 0, torn;
  uint8_t before[DC_POINT_SIZE], after[DC_POINT_SIZE];
  device_start(&device, 96 + counters);
  device.port.hardware_key = counters % 2 == 1 ? 5 : 0; /* sealed records are longer */
  device_restart(&device);
  CHECK_STATUS(suite, 0, dc_open_key(&device.dc, other, &others));
  CHECK_STATUS(suite, 0, dc_next_counter(&device.dc, other, &counter));
  for (unsigned i = 0; i < counters; i++) {
    CHECK_STATUS(suite, 0, dc_open_key(&device.dc, id, &key));
    CHECK_STATUS(suite, 0, dc_next_counter(&device.dc, id, &counter));
    CHECK_STATUS(suite, 0, dc_export_public_key(&device.dc, key, before));
  }
  struct dc_test_port whole = device.port;
  size_t size = dc_test_file(&whole, "other-a")->length;
  for (size_t byte = 0; byte <= size; byte += suite->each, torn_writes++) {
    device.port = whole;
    device_restart(&device);
    device.port.write_fails_at = device.port.writes + 1;
    device.port.write_failure = DC_TEST_TORN_AT;
    device.port.torn_at = byte;
    int status = dc_open_key(&device.dc, id, &key);
    if (status == 0) status = dc_next_counter(&device.dc, id, &torn);
    CHECK_STATUS(suite, DC_ERR_STORE, status);
    device_restart(&device);
    CHECK_STATUS(suite, 0, dc_open_key(&device.dc, id, &key));
    CHECK_STATUS(suite, 0, dc_export_public_key(&device.dc, key, after));
    CHECK(suite, counters == 0 || memcmp(before, after, sizeof after) == 0);
    CHECK_STATUS(suite, 0, dc_next_counter(&device.dc, id, &torn));
    CHECK(suite, counters == 0 ? torn >= 1 : torn > counter);
    CHECK_STATUS(suite, 0, dc_open_key(&device.dc, other, &others));
    CHECK_STATUS(suite, 0, dc_next_counter(&device.dc, other, &torn));
    CHECK(suite, torn == 2);
  }
  device_stop(&device);
  return torn_writes;
}

/* The module goes on after a failed write, in the same life. */
static void retry_in_place(struct suite *suite, enum dc_test_failure failure) {
  struct device device;
  dc_handle key;
  uint32_t counter;
  device_start(&device, 95);
  CHECK_STATUS(suite, 0, dc_open_device_key(&device.dc, &key));
  CHECK_STATUS(suite, 0, dc_next_device_counter(&device.dc, &counter));
  device.port.write_fails_at = device.port.writes + 1;
  device.port.write_failure = failure;
  CHECK_STATUS(suite, DC_ERR_STORE, dc_next_device_counter(&device.dc, &counter));
  CHECK(suite, counter == 0);
  CHECK_STATUS(suite, 0, dc_next_device_counter(&device.dc, &counter));
  CHECK(suite, counter == 2);
  device_restart(&device);
  CHECK_STATUS(suite, 0, dc_open_device_key(&device.dc, &key));
  CHECK_STATUS(suite, 0, dc_next_device_counter(&device.dc, &counter));
  CHECK(suite, counter == 3);
  device_stop(&device);
}

void test_failures(struct suite *suite) {
  const operation with_random[] = {try_random, try_generate,   try_sign, try_wrap,    try_unwrap,
                                   try_reopen, try_first_boot, try_pair, try_request, try_second_key};
  for (size_t i = 0; i < sizeof with_random / sizeof with_random[0]; i++)
    random_failures(suite, with_random[i]);
  read_failures(suite, try_reopen);
  read_failures(suite, try_first_boot);
  read_failures(suite, try_second_key);
  const enum dc_test_failure failures[] = {DC_TEST_REFUSED, DC_TEST_CUT_LATE, DC_TEST_TORN,
                                           DC_TEST_SILENT};
  for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
    cut_at_each_write(suite, failures[i]);
    retry_in_place(suite, failures[i]);
  }
  unsigned tears = 0;
  for (unsigned counters = 0; counters <= 3; counters++) {
    tears += torn_at_each_byte(suite, TEXT("device"), counters);
    if (counters <= 1) tears += torn_at_each_byte(suite, TEXT("next"), counters);
  }
  printf("keys: %u torn writes\n", tears);
}

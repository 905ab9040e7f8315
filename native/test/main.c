#include "suite.h"

void suite_check(struct suite *suite, int passed, const char *what, const char *file, int line) {
  if (passed) {
    suite->passed++;
    return;
  }
  suite->failed++;
  printf("%s:%d: failed: %s\n", file, line, what);
}

void suite_status(struct suite *suite, int expected, int got, const char *what, const char *file,
                  int line) {
  suite_check(suite, expected == got, what, file, line);
  if (expected != got) printf("  expected %d, got %d\n", expected, got);
}

void device_start(struct device *device, uint64_t seed) {
  dc_test_port_init(&device->port, seed);
  struct dc_port port = dc_test_port(&device->port);
  dc_init(&device->dc, &port);
}

void device_restart(struct device *device) {
  dc_free(&device->dc);
  struct dc_port port = dc_test_port(&device->port);
  dc_init(&device->dc, &port);
}

void device_stop(struct device *device) { dc_free(&device->dc); }

size_t from_hex(const char *digits, uint8_t *out) {
  size_t length = strlen(digits) / 2;
  for (size_t i = 0; i < length; i++) {
    unsigned byte = 0;
    sscanf(digits + 2 * i, "%2x", &byte);
    out[i] = (uint8_t)byte;
  }
  return length;
}

struct dc_slot *slot_of(struct device *device, dc_handle key) {
  return &device->dc.slots[key & 0xff];
}

int free_slots_are_empty(const struct device *device) {
  for (size_t i = 0; i < DC_SLOTS; i++) {
    struct dc_slot empty;
    memset(&empty, 0, sizeof empty);
    empty.generation = device->dc.slots[i].generation;
    if (device->dc.slots[i].kind == DC_KIND_FREE &&
        memcmp(&empty, &device->dc.slots[i], sizeof empty) != 0)
      return 0;
  }
  return 1;
}

unsigned taken_slots(const struct device *device) {
  unsigned taken = 0;
  for (size_t i = 0; i < DC_SLOTS; i++) taken += device->dc.slots[i].kind != DC_KIND_FREE;
  return taken;
}

/*
 * With any argument the longest tests are left out, and of torn writes one in seven is made,
 * at other bytes of each field: for valgrind, thirty times slower.
 */
int main(int count, char **arguments) {
  struct suite suite = {.each = count == 1 ? 1 : 7};
  (void)arguments;
  test_vectors(&suite);
  test_keys(&suite);
  test_usage(&suite);
  test_agreement(&suite);
  test_aead(&suite);
  test_sequence(&suite);
  test_sleep(&suite);
  test_record(&suite);
  test_failures(&suite);
  test_stored_keys(&suite);
  test_lasting(&suite);
  if (count == 1) test_ring(&suite);
  test_certificate(&suite);
  if (count == 1) test_memory(&suite);
  printf("%u passed, %u failed\n", suite.passed, suite.failed);
  return suite.failed == 0 ? 0 : 1;
}

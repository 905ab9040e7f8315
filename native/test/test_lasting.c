#include "suite.h"

/* Records: whole or not at all, old or new, whatever the power does. */

#define A "r-x-a"
#define B "r-x-b"

static const struct dc_bytes id = {(const uint8_t *)"x", 1};

/* 0 absent, 1 the content, -1 anything else. */
static int holds(struct device *device, struct dc_bytes content) {
  uint8_t out[DC_RECORD_MAX];
  size_t length;
  int status = dc_read_record(&device->dc, id, out, &length);
  if (status == DC_ABSENT) return 0;
  if (status != 0 || length != content.length) return -1;
  return length == 0 || memcmp(out, content.data, length) == 0 ? 1 : -1;
}

static int scratch_is_empty(const struct device *device) {
  uint8_t all = 0;
  for (size_t i = 0; i < sizeof device->dc.scratch; i++) all |= device->dc.scratch[i];
  return all == 0;
}

static void sizes(struct suite *suite) {
  static uint8_t longest[DC_RECORD_MAX + 1];
  const size_t lengths[] = {0, 1, 255, 256, 4095, 4096};
  struct device device;
  device_start(&device, 110);
  CHECK(suite, holds(&device, TEXT("")) == 0);
  for (size_t i = 0; i < sizeof longest; i++) longest[i] = (uint8_t)(i * 7);
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    struct dc_bytes content = {longest, lengths[i]};
    CHECK_STATUS(suite, 0, dc_write_record(&device.dc, id, content));
    CHECK(suite, holds(&device, content) == 1);
    device_restart(&device);
    CHECK(suite, holds(&device, content) == 1);
  }
  struct dc_bytes too_long = {longest, sizeof longest};
  struct dc_bytes nowhere = {NULL, 5};
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_write_record(&device.dc, id, too_long));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_write_record(&device.dc, id, nowhere));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_write_record(&device.dc, TEXT("X"), TEXT("a")));
  CHECK_STATUS(suite, 0, dc_erase_record(&device.dc, id));
  CHECK(suite, holds(&device, TEXT("")) == 0 && dc_test_file(&device.port, A) == NULL);
  CHECK_STATUS(suite, 0, dc_erase_record(&device.dc, id));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_erase_record(&device.dc, TEXT("")));
  CHECK(suite, scratch_is_empty(&device));
  device_stop(&device);
}

/* Writes one of two contents with the power cut at each write, after each byte. */
static unsigned cut_everywhere(struct suite *suite, unsigned earlier_writes) {
  const struct dc_bytes contents[] = {TEXT("the old content"), TEXT("the new, longer content")};
  const size_t size = contents[1].length + DC_RECORD_OVERHEAD;
  unsigned cuts = 0;
  for (unsigned write = 1; write <= 2; write++) {
    for (size_t byte = 0; byte <= size; byte++, cuts++) {
      struct device device;
      device_start(&device, 111);
      for (unsigned i = 0; i < earlier_writes; i++)
        CHECK_STATUS(suite, 0, dc_write_record(&device.dc, id, contents[0]));
      int before = earlier_writes > 0;
      device.port.write_fails_at = device.port.writes + write;
      device.port.write_failure = DC_TEST_TORN_AT;
      device.port.torn_at = byte;
      int status = dc_write_record(&device.dc, id, contents[1]);
      CHECK_STATUS(suite, write == 2 && before ? 0 : DC_ERR_STORE, status);
      device.port.write_fails_at = 0;
      device_restart(&device);
      int is_new = holds(&device, contents[1]) == 1;
      CHECK(suite, is_new || holds(&device, contents[0]) == before);
      CHECK(suite, is_new || status != 0);
      CHECK_STATUS(suite, 0, dc_write_record(&device.dc, id, TEXT("later")));
      device_restart(&device);
      CHECK(suite, holds(&device, TEXT("later")) == 1 && scratch_is_empty(&device));
      device_stop(&device);
    }
  }
  return cuts;
}

static void cut_erase(struct suite *suite) {
  for (unsigned writes = 1; writes <= 4; writes++) {
    for (unsigned failure = 1; failure <= 2; failure++) {
      struct device device;
      device_start(&device, 112);
      for (unsigned i = 1; i < writes; i++)
        CHECK_STATUS(suite, 0, dc_write_record(&device.dc, id, TEXT("old")));
      CHECK_STATUS(suite, 0, dc_write_record(&device.dc, id, TEXT("newest")));
      device.port.erase_fails_at = failure;
      CHECK_STATUS(suite, DC_ERR_STORE, dc_erase_record(&device.dc, id));
      device_restart(&device);
      CHECK(suite, holds(&device, TEXT("newest")) == 1);
      CHECK_STATUS(suite, 0, dc_write_record(&device.dc, id, TEXT("again")));
      CHECK(suite, holds(&device, TEXT("again")) == 1);
      CHECK_STATUS(suite, 0, dc_erase_record(&device.dc, id));
      CHECK(suite, holds(&device, TEXT("")) == 0);
      device_stop(&device);
    }
  }
}

static void damage(struct suite *suite) {
  struct device device;
  uint8_t out[DC_RECORD_MAX];
  size_t length;
  device_start(&device, 113);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_write_record(dc, id, TEXT("first")));
  CHECK_STATUS(suite, 0, dc_write_record(dc, id, TEXT("second")));
  size_t size = dc_test_file(&device.port, A)->length;
  for (size_t at = 0; at < size; at++) { /* every byte counts: the other slot steps in */
    struct dc_test_file *a = dc_test_file(&device.port, A);
    struct dc_test_file *b = dc_test_file(&device.port, B);
    unsigned newest = dc_get_u32(a->data + 5) > dc_get_u32(b->data + 5) ? 0 : 1;
    struct dc_test_file *file = newest == 0 ? a : b;
    if (at >= file->length) break;
    file->data[at] ^= 0x10;
    CHECK(suite, holds(&device, TEXT("first")) == 1);
    file->data[at] ^= 0x10;
    CHECK(suite, holds(&device, TEXT("second")) == 1);
  }
  dc_test_file(&device.port, A)->data[12] ^= 1;
  dc_test_file(&device.port, B)->length = 0;
  CHECK_STATUS(suite, DC_ERR_STORE, dc_read_record(dc, id, out, &length));
  CHECK(suite, length == 0);
  CHECK_STATUS(suite, 0, dc_write_record(dc, id, TEXT("anew")));
  CHECK(suite, holds(&device, TEXT("anew")) == 1);
  dc_test_file(&device.port, A)->length = DC_TEST_FILE_SIZE; /* longer than any record */
  dc_test_file(&device.port, B)->length = DC_TEST_FILE_SIZE;
  CHECK_STATUS(suite, DC_ERR_STORE, dc_read_record(dc, id, out, &length));
  device_stop(&device);
}

static void sequence_ends(struct suite *suite) {
  struct device device;
  device_start(&device, 114);
  CHECK_STATUS(suite, 0, dc_write_record(&device.dc, id, TEXT("last")));
  const char *const names[] = {A, B};
  for (uint32_t i = 0; i < 2; i++) {
    struct dc_test_file *file = dc_test_file(&device.port, names[i]);
    dc_put_u32(file->data + 5, UINT32_MAX - 1 - i);
    dc_put_u32(file->data + file->length - 4, dc_crc32(file->data, file->length - 4));
  }
  CHECK_STATUS(suite, DC_ERR_SEQUENCE, dc_write_record(&device.dc, id, TEXT("more")));
  CHECK(suite, holds(&device, TEXT("last")) == 1);
  device_stop(&device);
}

static void port_failures(struct suite *suite) {
  struct device device;
  uint8_t out[DC_RECORD_MAX];
  size_t length;
  device_start(&device, 115);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_write_record(dc, id, TEXT("content")));
  for (unsigned call = 1; call <= 2; call++) {
    device.port.read_fails_at = device.port.reads + call;
    CHECK_STATUS(suite, DC_ERR_STORE, dc_read_record(dc, id, out, &length));
    device.port.read_fails_at = device.port.reads + call;
    CHECK_STATUS(suite, DC_ERR_STORE, dc_erase_record(dc, id));
  }
  for (unsigned call = 1; call <= 3; call++) {
    device.port.read_fails_at = device.port.reads + call;
    CHECK_STATUS(suite, DC_ERR_STORE, dc_write_record(dc, id, TEXT("content")));
  }
  device.port.write_failure = DC_TEST_SILENT;
  device.port.write_fails_at = device.port.writes + 1;
  CHECK_STATUS(suite, DC_ERR_STORE, dc_write_record(dc, id, TEXT("content")));
  CHECK(suite, holds(&device, TEXT("content")) == 1 && scratch_is_empty(&device));
  device_stop(&device);
}

static void erase_all(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint8_t point[DC_POINT_SIZE];
  uint32_t number;
  device_start(&device, 116);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &key));
  CHECK_STATUS(suite, 0, dc_write_record(dc, id, TEXT("content")));
  CHECK_STATUS(suite, 0, dc_ring_append(dc, TEXT("entry"), &number));
  device.port.erase_all_fails = 1;
  CHECK_STATUS(suite, DC_ERR_STORE, dc_erase_all(dc));
  CHECK(suite, taken_slots(&device) == 0);
  device.port.erase_all_fails = 0;
  CHECK_STATUS(suite, 0, dc_erase_all(dc));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_export_public_key(dc, key, point));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_next_device_counter(dc, &number));
  CHECK(suite, holds(&device, TEXT("")) == 0);
  CHECK_STATUS(suite, 0, dc_ring_count(dc, &number));
  CHECK(suite, number == 0 && free_slots_are_empty(&device));
  dc->port.erase_all = NULL;
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &key));
  CHECK_STATUS(suite, DC_ERR_UNSUPPORTED, dc_erase_all(dc));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, key, point));
  device_stop(&device);
}

void test_lasting(struct suite *suite) {
  sizes(suite);
  unsigned cuts = 0;
  for (unsigned earlier = 0; earlier <= 2; earlier++) cuts += cut_everywhere(suite, earlier);
  printf("records: %u power cuts\n", cuts);
  cut_erase(suite);
  damage(suite);
  sequence_ends(suite);
  port_failures(suite);
  erase_all(suite);
}

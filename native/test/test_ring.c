#include "suite.h"

/*
 * The ring, against a plain list. Each change of the flash is cut after each of its
 * bytes; after the next start the ring holds what it held before or after, in order.
 */

struct model {
  uint32_t first, end; /* entries are numbered; these are there */
};

/* The content of entry `number`: its length varies, the number and a pattern are in it. */
static struct dc_bytes content_of(uint32_t number, uint8_t *out) {
  size_t length = 8 + number * 37 % 211;
  if (number % 17 == 16) length = DC_RING_ENTRY_MAX;
  for (size_t i = 0; i < length; i++) out[i] = (uint8_t)(number + i * 3);
  dc_put_u32(out, number);
  struct dc_bytes content = {out, length};
  return content;
}

/* The number of the entry at `index`; UINT32_MAX for content that was never appended. */
static uint32_t number_at(struct device *device, uint32_t index) {
  uint8_t got[DC_RING_ENTRY_MAX], expected[DC_RING_ENTRY_MAX];
  size_t length;
  if (dc_ring_peek(&device->dc, index, got, &length) != 0 || length < 8) return UINT32_MAX;
  struct dc_bytes content = content_of(dc_get_u32(got), expected);
  int same = content.length == length && memcmp(content.data, got, length) == 0;
  return same ? dc_get_u32(got) : UINT32_MAX;
}

/* 1 when the ring holds exactly the entries `first` to `end` - 1. */
static int holds(struct device *device, uint32_t first, uint32_t end) {
  uint8_t out[DC_RING_ENTRY_MAX];
  size_t length;
  uint32_t count;
  if (dc_ring_count(&device->dc, &count) != 0 || count != end - first) return 0;
  for (uint32_t i = 0; i < count; i++)
    if (number_at(device, i) != first + i) return 0;
  return dc_ring_peek(&device->dc, count, out, &length) == DC_ABSENT;
}

static int append(struct device *device, uint32_t number, uint32_t *evicted) {
  uint8_t out[DC_RING_ENTRY_MAX];
  return dc_ring_append(&device->dc, content_of(number, out), evicted);
}

static void basics(struct suite *suite) {
  struct device device;
  uint8_t out[DC_RING_ENTRY_MAX + 1] = {0};
  size_t length;
  uint32_t number;
  device_start(&device, 120);
  struct dc *dc = &device.dc;
  CHECK(suite, holds(&device, 0, 0) && device.port.flash.changes == 0);
  CHECK_STATUS(suite, 0, dc_ring_drop(dc, 5));
  struct dc_bytes none = {out, 0}, too_long = {out, sizeof out}, nowhere = {NULL, 1};
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_ring_append(dc, none, &number));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_ring_append(dc, too_long, &number));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_ring_append(dc, nowhere, &number));
  for (uint32_t i = 0; i < 10; i++) CHECK_STATUS(suite, 0, append(&device, i, &number));
  CHECK(suite, holds(&device, 0, 10) && number_at(&device, 7) == 7 && number_at(&device, 2) == 2);
  CHECK_STATUS(suite, 0, dc_ring_drop(dc, 3));
  CHECK(suite, holds(&device, 3, 10));
  device_restart(&device);
  CHECK(suite, holds(&device, 3, 10));
  CHECK_STATUS(suite, 0, dc_ring_drop(dc, 0));
  CHECK_STATUS(suite, 0, dc_ring_drop(dc, 99));
  CHECK(suite, holds(&device, 10, 10));
  CHECK_STATUS(suite, 0, append(&device, 10, &number));
  CHECK(suite, holds(&device, 10, 11));
  CHECK_STATUS(suite, DC_ABSENT, dc_ring_peek(dc, 1, out, &length));
  CHECK_STATUS(suite, DC_ABSENT, dc_ring_peek(dc, UINT32_MAX, out, &length));
  device_stop(&device);
}

static void without_flash(struct suite *suite) {
  struct device device;
  uint8_t out[DC_RING_ENTRY_MAX];
  size_t length;
  uint32_t number;
  device_start(&device, 121);
  struct dc *dc = &device.dc;
  for (int missing = 0; missing < 4; missing++) {
    device_restart(&device);
    if (missing == 0) dc->port.flash_read = NULL;
    if (missing == 1) dc->port.flash_write = NULL;
    if (missing == 2) dc->port.flash_erase = NULL;
    if (missing == 3) dc->port.flash_sectors = 1;
    CHECK_STATUS(suite, DC_ERR_UNSUPPORTED, dc_ring_append(dc, TEXT("a"), &number));
    CHECK_STATUS(suite, DC_ERR_UNSUPPORTED, dc_ring_peek(dc, 0, out, &length));
    CHECK_STATUS(suite, DC_ERR_UNSUPPORTED, dc_ring_drop(dc, 1));
    CHECK_STATUS(suite, DC_ERR_UNSUPPORTED, dc_ring_count(dc, &number));
  }
  device_stop(&device);
}

/* Full, the oldest sector goes, its entries counted; every sector is erased as often. */
static void goes_round(struct suite *suite, uint32_t every) {
  struct device device;
  uint32_t evicted, first = 0;
  device_start(&device, 122);
  for (uint32_t i = 0; i < 600; i++) {
    CHECK_STATUS(suite, 0, append(&device, i, &evicted));
    first += evicted;
    if (every != 0 && i % every == 0) {
      uint32_t count = i + 1 - first, some = count > 5 ? 5 : count;
      CHECK_STATUS(suite, 0, dc_ring_drop(&device.dc, some));
      first += some;
    }
    if (i % 20 == 19) {
      if (i % 40 == 39) device_restart(&device);
      CHECK(suite, holds(&device, first, i + 1));
    }
  }
  const unsigned *erases = device.port.flash.erases;
  for (size_t i = 1; i < DC_TEST_SECTORS; i++)
    CHECK(suite, erases[i] == erases[0] || erases[i] + 1 == erases[0]);
  CHECK(suite, erases[0] > 5);
  device_stop(&device);
}

/* What step `number` of the workload does; three in five are appends. */
static int run_step(struct device *device, uint32_t number, struct model *model) {
  uint32_t evicted = 0, count = model->end - model->first;
  if (number % 5 == 4) {
    uint32_t some = count > 3 ? 3 : count;
    int status = dc_ring_drop(&device->dc, some);
    if (status == 0) model->first += some;
    return status;
  }
  int status = append(device, model->end, &evicted);
  if (status != 0) return status;
  model->first += evicted;
  model->end++;
  return 0;
}

/* Which entries there are; 0 when they do not follow one another or are none of ours. */
static int observe(struct device *device, struct model *model) {
  uint32_t count;
  if (dc_ring_count(&device->dc, &count) != 0) return 0;
  if (count > 0) model->first = number_at(device, 0);
  for (uint32_t i = 1; i < count; i++)
    if (number_at(device, i) != model->first + i) return 0;
  model->end = model->first + count;
  return model->first != UINT32_MAX;
}

/* The state after a cut: before, after, or before without the sector that made room. */
static int is_allowed(const struct model *got, const struct model *before,
                      const struct model *after) {
  if (got->first == got->end)
    return before->first == before->end || after->first == after->end ||
           after->first == before->end;
  return (got->first == before->first && got->end == before->end) ||
         (got->first == after->first && got->end == after->end) ||
         (got->first == after->first && got->end == before->end);
}

static void cut(struct suite *suite, const struct device *start, const struct model *before,
                const struct model *after, uint32_t step, unsigned change, size_t byte,
                int noisy) {
  static struct device device;
  struct model reached = *before, got = *before;
  device = *start;
  device.dc.port.context = &device.port;
  device.port.flash.cut_at = device.port.flash.changes + change;
  device.port.flash.cut_after = byte;
  device.port.flash.noisy = noisy;
  CHECK_STATUS(suite, DC_ERR_STORE, run_step(&device, step, &reached));
  device.port.flash.is_off = 0;
  device.port.flash.cut_at = 0;
  memset(&device.dc.ring, 0, sizeof device.dc.ring); /* as after a reset */
  int allowed = observe(&device, &got) && is_allowed(&got, before, after);
  CHECK(suite, allowed);
  if (!allowed) printf("  step %u, change %u, byte %zu, noisy %d\n", step, change, byte, noisy);
  /* And it goes on from there. */
  uint32_t evicted, next = got.first == got.end ? before->end : got.end;
  if (got.first == got.end) got.first = got.end = next;
  CHECK_STATUS(suite, 0, append(&device, next, &evicted));
  CHECK(suite, holds(&device, got.first + evicted, next + 1));
}

/* How many bytes of a change are cut apart, and in what steps. */
struct range {
  size_t size, stride;
};

/* Opening a sector is three changes (clear, erase, header), an entry two, a drop one. */
static struct range range_of(unsigned change, unsigned changes, size_t length) {
  const struct range mark = {4, 1}, header = {12, 1}, erase = {DC_FLASH_SECTOR, 256};
  const struct range content = {length, 1};
  if (changes == 1) return mark;
  if (change == changes) return content;
  return changes == 5 && change == 2 ? erase : header;
}

static unsigned cut_step(struct suite *suite, const struct device *start, const struct model *model,
                         uint32_t step) {
  static struct device whole;
  struct model after = *model;
  unsigned cuts = 0;
  whole = *start;
  whole.dc.port.context = &whole.port;
  CHECK_STATUS(suite, 0, run_step(&whole, step, &after));
  uint8_t out[DC_RING_ENTRY_MAX];
  size_t length = content_of(model->end, out).length;
  unsigned changes = whole.port.flash.changes - start->port.flash.changes;
  for (unsigned change = 1; change <= changes; change++) {
    struct range range = range_of(change, changes, length);
    for (size_t byte = 0; byte <= range.size; byte += range.stride)
      for (int noisy = 0; noisy < 2; noisy++, cuts++)
        cut(suite, start, model, &after, step, change, byte, noisy);
  }
  return cuts;
}

static void cut_everywhere(struct suite *suite) {
  struct device device;
  struct model model = {0, 0};
  unsigned cuts = 0;
  device_start(&device, 123);
  for (uint32_t step = 0; step < 160; step++) {
    /* Every step that may open a sector, and some of the others. */
    uint32_t room = DC_FLASH_SECTOR - device.dc.ring.write_at;
    if (step % 7 == 0 || room < 240 || !device.dc.ring.mounted)
      cuts += cut_step(suite, &device, &model, step);
    CHECK_STATUS(suite, 0, run_step(&device, step, &model));
  }
  CHECK(suite, model.end > 100 && model.first > 20);
  printf("ring: %u power cuts\n", cuts);
  device_stop(&device);
}

/* Each read of the flash fails in turn: an error, and all is there again afterwards. */
static void read_failures(struct suite *suite) {
  struct device device;
  uint8_t out[DC_RING_ENTRY_MAX];
  size_t length;
  uint32_t evicted;
  device_start(&device, 124);
  for (uint32_t i = 0; i < 12; i++) CHECK_STATUS(suite, 0, append(&device, i, &evicted));
  unsigned failures = 0;
  for (unsigned call = 1; call < 500; call++) {
    device_restart(&device);
    device.port.flash.read_fails_at = device.port.flash.reads + call;
    int status = dc_ring_peek(&device.dc, 9, out, &length);
    if (status == 0) break;
    failures++;
    CHECK_STATUS(suite, DC_ERR_STORE, status);
    CHECK(suite, holds(&device, 0, 12));
  }
  CHECK(suite, failures > 20 && failures < 499);
  device.port.flash.read_fails_at = device.port.flash.reads + 1;
  CHECK_STATUS(suite, DC_ERR_STORE, append(&device, 12, &evicted));
  uint32_t count;
  CHECK_STATUS(suite, 0, dc_ring_count(&device.dc, &count));
  CHECK(suite, count == 12 || count == 13);
  device_stop(&device);
}

/* Flash that went bad under an entry: the others are still there. */
static void rot(struct suite *suite) {
  struct device device;
  uint32_t evicted, count;
  uint8_t out[DC_RING_ENTRY_MAX];
  size_t length;
  device_start(&device, 125);
  for (uint32_t i = 0; i < 5; i++) CHECK_STATUS(suite, 0, append(&device, i, &evicted));
  device.port.flash.bytes[16 + 12 + 3] ^= 2; /* in the first entry */
  CHECK_STATUS(suite, DC_ERR_STORE, dc_ring_peek(&device.dc, 4, out, &length));
  CHECK(suite, holds(&device, 1, 5));
  CHECK_STATUS(suite, 0, dc_ring_count(&device.dc, &count));
  CHECK(suite, count == 4);
  device_stop(&device);
}

/* Appends until the next one evicts; returns how many that will be. `model` follows. */
static uint32_t fill(struct suite *suite, struct device *device, struct model *model) {
  for (;;) {
    struct device next = *device;
    uint32_t evicted;
    next.dc.port.context = &next.port;
    CHECK_STATUS(suite, 0, append(&next, model->end, &evicted));
    if (evicted > 0) return evicted;
    CHECK_STATUS(suite, 0, append(device, model->end++, &evicted));
  }
}

/* A change fails and the device goes on: what the eviction cost is told by the append that
 * succeeds at last, and no entry is counted twice. */
static void failed_evictions(struct suite *suite) {
  for (unsigned change = 1; change <= 5; change++) {
    struct device device;
    struct model model = {0, 0};
    uint32_t evicted;
    device_start(&device, 126);
    uint32_t expected = fill(suite, &device, &model);
    for (unsigned i = 0; i < 2; i++) { /* twice in a row, the second time one step on */
      device.port.flash.cut_at = device.port.flash.changes + change;
      device.port.flash.cut_after = i * 4;
      int status = append(&device, model.end, &evicted);
      if (status != 0) CHECK(suite, status == DC_ERR_STORE && evicted == 0);
      model.first += evicted;
      model.end += status == 0;
      device.port.flash.is_off = 0;
      device.port.flash.cut_at = 0;
    }
    CHECK_STATUS(suite, 0, append(&device, model.end, &evicted));
    model.first += evicted;
    model.end++;
    CHECK(suite, model.first >= expected && holds(&device, model.first, model.end));
    CHECK_STATUS(suite, 0, append(&device, model.end, &evicted));
    CHECK(suite, evicted == 0 && holds(&device, model.first, model.end + 1)); /* told once */
    device_stop(&device);
  }
}

void test_ring(struct suite *suite) {
  failed_evictions(suite);
  basics(suite);
  without_flash(suite);
  goes_round(suite, 0);
  goes_round(suite, 3);
  goes_round(suite, 1);
  cut_everywhere(suite);
  read_failures(suite);
  rot(suite);
}

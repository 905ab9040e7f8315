/*
 * dc_open_device_key over any two slots: what is stored is never replaced by a new key,
 * and no counter is handed out that was handed out before.
 *   mode, then masks over two genuine records, or the bytes of both slots
 */
#include "host.h"

#define A "device-a"
#define B "device-b"
#define SLOT_MAX 180u /* longer than either form of a record */

struct scene {
  struct host host;
  struct dc dc;
};

static void start(struct scene *s) {
  struct dc_port port = host_port(&s->host);
  dc_init(&s->dc, &port);
}

/* Damage that the CRC does not show: as if whoever writes the store had made it. */
static void fix_crc(struct host_file *file) {
  if (file->length < 4) return;
  size_t size = file->length - 4;
  dc_put_u32(file->data + size, dc_crc32(file->data, size));
}

/* The records of a device that has handed out two numbers; making one costs too much for each run. */
static const struct host *genuine(void) {
  static struct scene s;
  static int ready;
  dc_handle key;
  uint32_t counter;
  if (ready) return &s.host;
  host_init(&s.host);
  start(&s);
  MUST(dc_open_device_key(&s.dc, &key) == 0);
  MUST(dc_next_device_counter(&s.dc, &counter) == 0);
  MUST(dc_next_device_counter(&s.dc, &counter) == 0);
  dc_free(&s.dc);
  ready = 1;
  return &s.host;
}

static int holds(const struct host_file *file, const uint8_t *public_key) {
  for (size_t at = 0; file->present && at + DC_POINT_SIZE <= file->length; at++)
    if (memcmp(file->data + at, public_key, DC_POINT_SIZE) == 0) return 1;
  return 0;
}

/* Opens, takes a number, and starts again, as over three boots. */
static void boot(struct scene *s, const struct host *stored) {
  uint32_t highest = 0, counter;
  for (int i = 0; i < 3; i++) {
    dc_handle key;
    uint8_t public_key[DC_POINT_SIZE];
    start(s);
    int status = dc_open_device_key(&s->dc, &key);
    MUST(status == 0 || status == DC_ERR_STORE);
    MUST((key != 0) == (status == 0));
    if (status == 0) {
      MUST(dc_export_public_key(&s->dc, key, public_key) == 0);
      /* Another key only where none was ever given out: the second slot was not written yet. */
      MUST(holds(&stored->files[0], public_key) || holds(&stored->files[1], public_key) ||
           !stored->files[1].present);
      status = dc_next_device_counter(&s->dc, &counter);
      MUST(status == 0 || status == DC_ERR_SEQUENCE || status == DC_ERR_STORE);
      if (status == 0) MUST(counter > highest);
      if (status == 0) highest = counter;
    }
    dc_free(&s->dc);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct scene s;
  static struct host stored;
  struct input input = {data, size};
  uint8_t mode = take_byte(&input);
  stored = *genuine();
  if (mode & 1) {
    take_mask(&input, stored.files[0].data, stored.files[0].length);
    take_mask(&input, stored.files[1].data, stored.files[1].length);
  } else {
    host_put(&stored, A, take(&input, take_byte(&input) % SLOT_MAX));
    host_put(&stored, B, take(&input, SLOT_MAX));
  }
  if (mode & 2) fix_crc(&stored.files[0]);
  if (mode & 4) fix_crc(&stored.files[1]);
  if (mode & 8) stored.files[mode >> 4 & 1].present = 0;
  s.host = stored;
  boot(&s, &stored);
  return 0;
}

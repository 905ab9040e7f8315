#include "port_test.h"

#include <string.h>

#define FAILED (-1)

void dc_test_port_init(struct dc_test_port *test, uint64_t seed) {
  memset(test, 0, sizeof *test);
  test->seed = seed;
  test->now = -1;
  memset(test->flash.bytes, 0xff, sizeof test->flash.bytes);
}

struct dc_test_file *dc_test_file(struct dc_test_port *test, const char *id) {
  for (size_t i = 0; i < DC_TEST_FILES; i++)
    if (test->files[i].present && strcmp(test->files[i].id, id) == 0) return &test->files[i];
  return NULL;
}

/* SplitMix64 (Steele, Lea, Flood 2014): repeatable, and of course not secure. */
static uint8_t next_byte(struct dc_test_port *test) {
  uint64_t z = test->seed += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (uint8_t)(z >> 40);
}

static int fill_random(void *context, uint8_t *out, size_t length) {
  struct dc_test_port *test = context;
  if (++test->random_calls == test->random_fails_at) return FAILED;
  for (size_t i = 0; i < length; i++) out[i] = next_byte(test);
  return 0;
}

static int store_read(void *context, const char *id, uint8_t *out, size_t capacity,
                      size_t *length) {
  struct dc_test_port *test = context;
  if (++test->reads == test->read_fails_at) return FAILED;
  const struct dc_test_file *file = dc_test_file(test, id);
  if (file == NULL) return DC_STORE_ABSENT;
  *length = file->length;
  memcpy(out, file->data, file->length < capacity ? file->length : capacity);
  return 0;
}

static struct dc_test_file *make_file(struct dc_test_port *test, const char *id) {
  struct dc_test_file *file = dc_test_file(test, id);
  for (size_t i = 0; file == NULL && i < DC_TEST_FILES; i++)
    if (!test->files[i].present) file = &test->files[i];
  if (file == NULL || strlen(id) > DC_STORE_ID_MAX) return NULL;
  file->present = 1;
  memcpy(file->id, id, strlen(id) + 1);
  return file;
}

static int store_write(void *context, const char *id, const uint8_t *data, size_t length) {
  struct dc_test_port *test = context;
  int fails = ++test->writes == test->write_fails_at;
  if (length > DC_TEST_FILE_SIZE || (fails && test->write_failure == DC_TEST_REFUSED))
    return FAILED;
  struct dc_test_file *file = make_file(test, id);
  if (file == NULL) return FAILED;
  memcpy(file->data, data, length);
  file->length = length;
  if (!fails) return 0;
  if (test->write_failure == DC_TEST_TORN) file->length = length / 2;
  if (test->write_failure == DC_TEST_TORN_AT) file->length = test->torn_at;
  if (test->write_failure == DC_TEST_SILENT) file->data[length / 2] ^= 1;
  return test->write_failure == DC_TEST_SILENT ? 0 : FAILED;
}

static int store_erase(void *context, const char *id) {
  struct dc_test_port *test = context;
  if (++test->erases == test->erase_fails_at) return FAILED;
  struct dc_test_file *file = dc_test_file(test, id);
  if (file != NULL) memset(file, 0, sizeof *file);
  return 0;
}

static int random_ready(void *context) {
  const struct dc_test_port *test = context;
  return test->random_not_ready ? FAILED : 0;
}

static int64_t get_time(void *context) {
  const struct dc_test_port *test = context;
  return test->now;
}

static int hardware_key(void *context, const uint8_t *label, size_t length, uint8_t out[32]) {
  const struct dc_test_port *test = context;
  memset(out, test->hardware_key, 32);
  for (size_t i = 0; i < length; i++) out[i % 16] = (uint8_t)(out[i % 16] * 31u + label[i]);
  return test->hardware_key_fails ? FAILED : 0;
}

static int sleep_keep(void *context, const uint8_t *data, size_t length) {
  struct dc_test_sleep *sleep = &((struct dc_test_port *)context)->sleep;
  if (++sleep->keeps == sleep->keep_fails_at || length > sizeof sleep->data) return FAILED;
  memcpy(sleep->data, data, length);
  sleep->length = length;
  return 0;
}

static void forget_sleep(struct dc_test_sleep *sleep) {
  memset(sleep->data, 0, sizeof sleep->data);
  sleep->length = 0;
}

static int sleep_take(void *context, uint8_t *out, size_t capacity, size_t *length) {
  struct dc_test_sleep *sleep = &((struct dc_test_port *)context)->sleep;
  int fails = ++sleep->takes == sleep->take_fails_at;
  int is_there = sleep->woke && sleep->length > 0;
  *length = sleep->length;
  if (is_there) memcpy(out, sleep->data, *length < capacity ? *length : capacity);
  forget_sleep(sleep);
  if (fails) return FAILED;
  return is_there ? 0 : DC_STORE_ABSENT;
}

static int erase_all(void *context) {
  struct dc_test_port *test = context;
  if (test->erase_all_fails) return FAILED;
  forget_sleep(&test->sleep);
  memset(test->files, 0, sizeof test->files);
  memset(test->flash.bytes, 0xff, sizeof test->flash.bytes);
  return 0;
}

static int flash_read(void *context, uint32_t offset, uint8_t *out, size_t length) {
  struct dc_test_flash *flash = &((struct dc_test_port *)context)->flash;
  if (flash->is_off || ++flash->reads == flash->read_fails_at) return FAILED;
  if (offset > DC_TEST_FLASH || length > DC_TEST_FLASH - offset) return FAILED;
  memcpy(out, flash->bytes + offset, length);
  return 0;
}

/* How many of the bytes change; the power is off after fewer than all of them. */
static size_t begin_change(struct dc_test_flash *flash, size_t length) {
  if (flash->is_off) return 0;
  flash->is_off = ++flash->changes == flash->cut_at;
  return flash->is_off && flash->cut_after < length ? flash->cut_after : length;
}

static int flash_write(void *context, uint32_t offset, const uint8_t *data, size_t length) {
  struct dc_test_port *test = context;
  struct dc_test_flash *flash = &test->flash;
  if (flash->is_off || offset > DC_TEST_FLASH || length > DC_TEST_FLASH - offset) return FAILED;
  size_t done = begin_change(flash, length);
  for (size_t i = 0; i < done; i++) flash->bytes[offset + i] &= data[i];
  for (size_t i = done; flash->noisy && i < length; i++)
    flash->bytes[offset + i] &= (uint8_t)(data[i] | next_byte(test));
  return flash->is_off ? FAILED : 0;
}

static int flash_erase(void *context, uint32_t offset) {
  struct dc_test_port *test = context;
  struct dc_test_flash *flash = &test->flash;
  if (flash->is_off || offset % DC_FLASH_SECTOR != 0 || offset >= DC_TEST_FLASH) return FAILED;
  flash->erases[offset / DC_FLASH_SECTOR]++;
  size_t done = begin_change(flash, DC_FLASH_SECTOR);
  memset(flash->bytes + offset, 0xff, done);
  for (size_t i = done; flash->noisy && i < DC_FLASH_SECTOR; i++)
    flash->bytes[offset + i] |= next_byte(test);
  return flash->is_off ? FAILED : 0;
}

static int reset_reason(void *context) { return ((struct dc_test_port *)context)->reset_reason; }

struct dc_port dc_test_port(struct dc_test_port *test) {
  struct dc_port port = {.context = test,
                         .random = fill_random,
                         .store_read = store_read,
                         .store_write = store_write,
                         .store_erase = store_erase,
                         .random_ready = random_ready,
                         .time = get_time,
                         .hardware_key = test->hardware_key == 0 ? NULL : hardware_key,
                         .erase_all = erase_all,
                         .flash_read = flash_read,
                         .flash_write = flash_write,
                         .flash_erase = flash_erase,
                         .flash_sectors = DC_TEST_SECTORS,
                         .sleep_keep = sleep_keep,
                         .sleep_take = sleep_take,
                         .reset_reason = reset_reason};
  return port;
}

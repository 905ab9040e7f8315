#include "port_test.h"

#include <string.h>

#define FAILED (-1)

void dc_test_port_init(struct dc_test_port *test, uint64_t seed) {
  memset(test, 0, sizeof *test);
  test->seed = seed;
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
  if (test->write_failure == DC_TEST_SILENT) file->data[length / 2] ^= 1;
  return test->write_failure == DC_TEST_SILENT ? 0 : FAILED;
}

static int store_erase(void *context, const char *id) {
  struct dc_test_file *file = dc_test_file(context, id);
  if (file != NULL) memset(file, 0, sizeof *file);
  return 0;
}

struct dc_port dc_test_port(struct dc_test_port *test) {
  struct dc_port port = {.context = test,
                         .random = fill_random,
                         .store_read = store_read,
                         .store_write = store_write,
                         .store_erase = store_erase};
  return port;
}

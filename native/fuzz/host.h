#ifndef DC_FUZZ_HOST_H
#define DC_FUZZ_HOST_H

/* What the fuzz targets share: an input that is read piece by piece, and a module over memory. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/** What must hold whatever the input is. */
#define MUST(condition)                                                       \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                \
    }                                                                         \
  } while (0)

struct input {
  const uint8_t *data;
  size_t length;
};

/** The next byte; 0 after the end. */
uint8_t take_byte(struct input *input);
/** The next `length` bytes, or as many as are left. */
struct dc_bytes take(struct input *input, size_t length);
/** The same into `out`, zeros after the end. */
void take_into(struct input *input, uint8_t *out, size_t length);
/** XORs what is left of the input, up to `length`; 1 when that changes anything. */
int take_mask(struct input *input, uint8_t *bytes, size_t length);

#define HOST_FILES 4u
#define HOST_FILE_SIZE (DC_RECORD_MAX + 64u)
#define HOST_SECTORS 3u

struct host_file {
  int present;
  char id[DC_STORE_ID_MAX + 1];
  size_t length;
  uint8_t data[HOST_FILE_SIZE];
};

struct host {
  uint64_t seed;
  struct host_file files[HOST_FILES];
  uint8_t flash[HOST_SECTORS * DC_FLASH_SECTOR];
  uint32_t flash_until; /* flash writes and erases that still work; the next is torn */
};

/** A host with nothing stored, blank flash, and the same "random" bytes each time. */
void host_init(struct host *host);
void host_put(struct host *host, const char *id, struct dc_bytes content);
struct dc_port host_port(struct host *host);

/** An AES key of the target's choice. */
dc_handle import_aes(struct dc *dc, const uint8_t secret[DC_KEY_SIZE], uint32_t usage);
/** libFuzzer's entry point (LLVM: docs/LibFuzzer). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif

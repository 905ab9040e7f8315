#ifndef DC_TEST_CHIP_H
#define DC_TEST_CHIP_H

/*
 * A stand-in for what port_esp32.c calls of ESP-IDF: two partitions in memory, NVS over
 * one of them, and the switches of a chip. What a call must not do is counted in
 * `violations`. For the test of the port only; it proves nothing about ESP-IDF.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_partition.h"
#include "esp_system.h"

#define CHIP_KEYS_SIZE 65536u
#define CHIP_RING_SIZE (4u * 4096u)
#define CHIP_BLOBS 8u
#define CHIP_BLOB_SIZE 4200u

struct chip_blob {
  char key[16]; /* empty: none */
  size_t length;
  uint8_t data[CHIP_BLOB_SIZE];
};

struct chip {
  bool radio_on, boot_source_on;
  bool has_partitions, nvs_broken, writes_fail;
  bool hmac_burnt, hmac_readable;
  esp_reset_reason_t reset_reason;
  bool mounted, open;
  unsigned boot_source_uses, violations;
  uint64_t random_state;
  struct chip_blob blobs[CHIP_BLOBS];
  uint8_t ring[CHIP_RING_SIZE];
};

extern struct chip chip;

/** A new chip: erased, radio off, nothing burnt. */
void chip_reset(void);
/** The value NVS holds under the key; NULL when there is none. */
struct chip_blob *chip_blob(const char *key);

#endif

#ifndef DC_PORT_H
#define DC_PORT_H

/* What a host supplies to the module. */

#include <stddef.h>
#include <stdint.h>

/** The longest id the store is given: what ESP-IDF's NVS takes. */
#define DC_STORE_ID_MAX 15u
/** The erase unit of the NOR flash below the ring. */
#define DC_FLASH_SECTOR 4096u

/** What a port's store_read returns when there is nothing under the id. */
#define DC_STORE_ABSENT 1
/** Bytes that the module keeps over deep sleep. */
#define DC_SLEEP_SIZE 42u

/** Why the machine started; the numbers are those of ESP-IDF's esp_reset_reason_t. */
#define DC_RESET_UNKNOWN 0
#define DC_RESET_POWERON 1
#define DC_RESET_EXT 2 /* the reset pin */
#define DC_RESET_SW 3  /* asked for by the program */
#define DC_RESET_PANIC 4
#define DC_RESET_INT_WDT 5
#define DC_RESET_TASK_WDT 6
#define DC_RESET_WDT 7 /* another watchdog */
#define DC_RESET_DEEPSLEEP 8
#define DC_RESET_BROWNOUT 9

/**
 * What the module asks of its host. Each function returns 0, or a negative number
 * when it failed; `context` is handed through.
 */
struct dc_port {
  void *context;
  /** Fills `out` with bytes from a cryptographic source, all or none. */
  int (*random)(void *context, uint8_t *out, size_t length);
  /**
   * Reads what is stored under `id`: at most `capacity` bytes into `out`, the
   * stored size (which may be larger) into `length`. DC_STORE_ABSENT when there is
   * nothing; a negative number when it cannot be told.
   */
  int (*store_read)(void *context, const char *id, uint8_t *out, size_t capacity, size_t *length);
  /** Replaces what is stored under `id`, atomically: after a power cut the old or the new is there. */
  int (*store_write)(void *context, const char *id, const uint8_t *data, size_t length);
  /**
   * Removes what is stored under `id`, so that the medium no longer holds it
   * (overwritten or erased where it can be). Nothing there is no error.
   */
  int (*store_erase)(void *context, const char *id);

  /* All below may be NULL: the port then does not have it. */

  /**
   * Makes sure that `random` is a true source: switches it on, or fails (then
   * DC_ERR_RANDOM) while there is none. Called before each key is made.
   */
  int (*random_ready)(void *context);
  /**
   * Unix seconds of a clock that can be trusted (not one set over an open network),
   * or -1. It raises the time floor of certificates.
   */
  int64_t (*time)(void *context);
  /**
   * A secret of the chip that software cannot read out otherwise, bound to `label`.
   * Where it is present, private keys are stored sealed under it.
   */
  int (*hardware_key)(void *context, const uint8_t *label, size_t length, uint8_t out[32]);
  /** Physically erases all there is, keys, records and flash; done when it returns 0. */
  int (*erase_all)(void *context);
  /**
   * NOR flash for the ring: all three, or none. Offsets count from 0 to
   * `flash_sectors` * DC_FLASH_SECTOR. A write only clears bits; an erase sets all
   * bits of the sector at `offset`. A power cut may tear both at any bit.
   */
  int (*flash_read)(void *context, uint32_t offset, uint8_t *out, size_t length);
  int (*flash_write)(void *context, uint32_t offset, const uint8_t *data, size_t length);
  int (*flash_erase)(void *context, uint32_t offset);
  /** At least 2, or there is no ring. */
  uint32_t flash_sectors;
  /**
   * Memory that outlasts deep sleep and no other reset: both, or none. Keeps
   * DC_SLEEP_SIZE bytes in place of what was kept before. When it fails none of them
   * may be left: the key goes on counting. `erase_all` takes them as well.
   */
  int (*sleep_keep)(void *context, const uint8_t *data, size_t length);
  /**
   * After a wake from deep sleep what was kept: its size into `length`, at most
   * `capacity` bytes into `out`. DC_STORE_ABSENT otherwise. It is zero in that memory
   * before the return, whatever that is, so that nothing is given twice.
   */
  int (*sleep_take)(void *context, uint8_t *out, size_t capacity, size_t *length);
  /** A DC_RESET_*; the same for as long as the machine runs. */
  int (*reset_reason)(void *context);
};

#endif

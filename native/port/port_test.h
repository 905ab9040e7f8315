#ifndef DC_PORT_TEST_H
#define DC_PORT_TEST_H

#include "dc.h"

#define DC_TEST_FILES 6u
#define DC_TEST_FILE_SIZE 4128u
#define DC_TEST_SECTORS 3u
#define DC_TEST_FLASH (DC_TEST_SECTORS * DC_FLASH_SECTOR)

/** How a store write fails. */
enum dc_test_failure {
  DC_TEST_REFUSED,  /* nothing changes, an error comes back */
  DC_TEST_CUT_LATE, /* all is written, an error comes back: power cut just after */
  DC_TEST_TORN,     /* half is written, an error comes back: a store that is not atomic */
  DC_TEST_TORN_AT,  /* the same with `torn_at` bytes */
  DC_TEST_SILENT    /* one bit is wrong, no error: flash that wears out */
};

struct dc_test_file {
  int present;
  char id[DC_STORE_ID_MAX + 1];
  size_t length;
  uint8_t data[DC_TEST_FILE_SIZE];
};

/** Flash in memory. The power goes at its `cut_at`-th change (0: never): then nothing works. */
struct dc_test_flash {
  uint8_t bytes[DC_TEST_FLASH];
  unsigned changes, cut_at;
  size_t cut_after; /* bytes of that change that are still done */
  int noisy;        /* the rest of that change is random: bits half set or half cleared */
  int is_off;
  unsigned reads, read_fails_at;
  unsigned erases[DC_TEST_SECTORS];
};

/** Memory that outlasts deep sleep. */
struct dc_test_sleep {
  int woke; /* 1: the start was a wake from deep sleep */
  size_t length; /* 0: nothing is kept */
  uint8_t data[DC_SLEEP_SIZE];
  unsigned keeps, keep_fails_at;
  unsigned takes, take_fails_at;
};

/**
 * For tests only: a store in memory, repeatable "random" bytes, and failures on
 * order. A `*_fails_at` of n makes the n-th call from the start fail; 0 none.
 */
struct dc_test_port {
  uint64_t seed;
  unsigned random_calls, random_fails_at;
  unsigned reads, read_fails_at;
  unsigned writes, write_fails_at;
  enum dc_test_failure write_failure;
  size_t torn_at;
  unsigned erases, erase_fails_at;
  int random_not_ready;
  int64_t now;               /* -1: no clock */
  uint8_t hardware_key;      /* 0: the port has none; else a seed of it */
  int hardware_key_fails;
  int erase_all_fails;
  struct dc_test_file files[DC_TEST_FILES];
  struct dc_test_flash flash;
  struct dc_test_sleep sleep;
  int reset_reason;
};

void dc_test_port_init(struct dc_test_port *test, uint64_t seed);
/** The file, or NULL when there is none of that id. */
struct dc_test_file *dc_test_file(struct dc_test_port *test, const char *id);
struct dc_port dc_test_port(struct dc_test_port *test);

#endif

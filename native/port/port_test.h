#ifndef DC_PORT_TEST_H
#define DC_PORT_TEST_H

#include "dc.h"

#define DC_TEST_FILES 4u
#define DC_TEST_FILE_SIZE 256u

/** How a store write fails. */
enum dc_test_failure {
  DC_TEST_REFUSED,  /* nothing changes, an error comes back */
  DC_TEST_CUT_LATE, /* all is written, an error comes back: power cut just after */
  DC_TEST_TORN,     /* half is written, an error comes back: a store that is not atomic */
  DC_TEST_SILENT    /* one bit is wrong, no error: flash that wears out */
};

struct dc_test_file {
  int present;
  char id[DC_STORE_ID_MAX + 1];
  size_t length;
  uint8_t data[DC_TEST_FILE_SIZE];
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
  struct dc_test_file files[DC_TEST_FILES];
};

void dc_test_port_init(struct dc_test_port *test, uint64_t seed);
/** The file, or NULL when there is none of that id. */
struct dc_test_file *dc_test_file(struct dc_test_port *test, const char *id);
struct dc_port dc_test_port(struct dc_test_port *test);

#endif

#ifndef DC_TEST_SUITE_H
#define DC_TEST_SUITE_H

/* A small harness, and what the tests of all files use. */

#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "port_test.h"

struct suite {
  unsigned passed;
  unsigned failed;
  unsigned each; /* of a long series of like cases, each such one is tested: 1, all */
};

#define CHECK(suite, condition) \
  suite_check((suite), (condition) != 0, #condition, __FILE__, __LINE__)
#define CHECK_STATUS(suite, expected, call) \
  suite_status((suite), (expected), (call), #call, __FILE__, __LINE__)

void suite_check(struct suite *suite, int passed, const char *what, const char *file, int line);
void suite_status(struct suite *suite, int expected, int got, const char *what, const char *file,
                  int line);

/** A module over a test port. Initialise with device_start, end with device_stop. */
struct device {
  struct dc_test_port port;
  struct dc dc;
};

void device_start(struct device *device, uint64_t seed);
/** A new module over the same store, as after a reset. */
void device_restart(struct device *device);
void device_stop(struct device *device);

/** Bytes of a string literal, without its zero. */
#define TEXT(literal) ((struct dc_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

/** The bytes of hexadecimal digits; returns how many. */
size_t from_hex(const char *digits, uint8_t *out);
/** The slot a live handle names. For looking at secrets, which no function shows. */
struct dc_slot *slot_of(struct device *device, dc_handle key);
/** 1 when no free slot holds anything but its generation. */
int free_slots_are_empty(const struct device *device);
unsigned taken_slots(const struct device *device);

void test_vectors(struct suite *suite);
void test_keys(struct suite *suite);
void test_usage(struct suite *suite);
void test_agreement(struct suite *suite);
void test_aead(struct suite *suite);
void test_sequence(struct suite *suite);
void test_sleep(struct suite *suite);
void test_record(struct suite *suite);
void test_failures(struct suite *suite);
void test_stored_keys(struct suite *suite);
void test_lasting(struct suite *suite);
void test_ring(struct suite *suite);
void test_certificate(struct suite *suite);
void test_memory(struct suite *suite);

#endif

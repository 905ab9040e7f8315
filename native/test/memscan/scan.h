#ifndef DC_TEST_SCAN_H
#define DC_TEST_SCAN_H

/* The search of this process's memory for secrets. */

#include "internal.h"

#define CHUNK (1u << 20)
#define MAX_SECRETS 16u
/* mbedTLS multiplies points with combs of 4 teeth, of 5 or 6 where its configuration allows. */
#define LEAST_TEETH 4u
#define MOST_TEETH 6u
#define COMBS (MOST_TEETH - LEAST_TEETH + 1u)
#define MAX_LENGTH (8u * DC_SCALAR_SIZE / LEAST_TEETH + 1u)

/* Remembered masked, so as not to find what we look for. */
struct secret {
  const char *name;
  size_t length;
  uint8_t masked[MAX_LENGTH];
};

struct scan {
  int memory;
  uint8_t *chunk; /* a mapping of its own, which is not searched */
  unsigned passed, failed;
  volatile uint8_t copy[DC_KEY_SIZE]; /* planted, to be found */
  size_t secret_count;
  struct secret secrets[MAX_SECRETS];
  size_t digits_count;
  struct secret digits[MAX_SECRETS * COMBS]; /* scalars as combs take them; nowhere, ever */
};

struct secret scan_mask(const char *name, const volatile uint8_t *secret, size_t length);
/**
 * A scalar of P-256 as the digits that a comb with so many teeth takes: one a byte, all
 * odd, bit 7 for the sign. Whoever has them has the scalar, or the curve's order less it.
 */
struct secret scan_digits(const struct secret *scalar, unsigned teeth);
/** 1 when the secret stands there; `backwards`: its bytes in the other order. */
int scan_matches(const uint8_t *at, const struct secret *secret, int backwards);
/** How often it is in memory that can be written. */
unsigned scan_count(struct scan *scan, const struct secret *secret, int backwards);
/** Counts a pass when it is there `expected` times, and never backwards. */
void scan_expect(struct scan *scan, const char *when, const struct secret *secret,
                 unsigned expected);

#endif

#define _GNU_SOURCE /* pread */

#include "scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define MASK 0x5a

/* Byte by byte, through volatile, so that no register-wide copy is left behind. */
struct secret scan_mask(const char *name, const volatile uint8_t *secret, size_t length) {
  struct secret remembered = {name, length, {0}};
  for (size_t i = 0; i < length; i++) remembered.masked[i] = secret[i] ^ MASK;
  return remembered;
}

/* The order of P-256 (SEC2 section 2.4.2). */
static const uint8_t order[DC_SCALAR_SIZE] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static void unmask(const struct secret *scalar, volatile uint8_t *out) {
  for (size_t i = 0; i < DC_SCALAR_SIZE; i++) out[i] = scalar->masked[i] ^ MASK;
  if ((out[DC_SCALAR_SIZE - 1] & 1) != 0) return;
  int borrow = 0; /* combs take odd numbers: the order less an even one */
  for (size_t i = DC_SCALAR_SIZE; i-- > 0;) {
    int difference = order[i] - out[i] - borrow;
    borrow = difference < 0;
    out[i] = (uint8_t)difference;
  }
}

/* Digit i has bits i, i + d, i + 2d, … of the scalar, the last one but carries. An even one
 * takes in the digit below it, which is then subtracted instead: that one counts half of
 * this one, and twice a half less a half is a half. */
struct secret scan_digits(const struct secret *scalar, unsigned teeth) {
  const size_t bits = 8 * DC_SCALAR_SIZE;
  size_t count = (bits + teeth - 1) / teeth;
  struct secret digits = {scalar->name, count + 1, {0}};
  volatile uint8_t odd[DC_SCALAR_SIZE], carry = 0, below = 0;
  unmask(scalar, odd);
  for (size_t i = 0; i <= count; i++) {
    volatile uint8_t digit = 0;
    for (size_t tooth = 0, bit = i; i < count && bit < bits; tooth++, bit += count)
      digit |= (uint8_t)((odd[DC_SCALAR_SIZE - 1 - bit / 8] >> bit % 8 & 1) << tooth);
    uint8_t next = digit & carry;
    digit ^= carry;
    if (i > 0 && (digit & 1) == 0) {
      next |= digit & below;
      digit ^= below;
      digits.masked[i - 1] ^= 0x80;
    }
    carry = next;
    below = digit;
    digits.masked[i] = digit ^ MASK;
  }
  for (size_t i = 0; i < sizeof odd; i++) odd[i] = 0;
  return digits;
}

int scan_matches(const uint8_t *at, const struct secret *secret, int backwards) {
  for (size_t i = 0; i < secret->length; i++) {
    size_t j = backwards ? secret->length - 1 - i : i;
    if ((at[i] ^ MASK) != secret->masked[j]) return 0;
  }
  return 1;
}

/* Chunks overlap by a secret's length less one, so that none is missed or counted twice. */
static unsigned count_in_range(struct scan *scan, uint64_t from, uint64_t to,
                               const struct secret *secret, int backwards) {
  unsigned found = 0;
  while (from + secret->length <= to) {
    uint64_t wanted = to - from < CHUNK ? to - from : CHUNK;
    ssize_t got = pread(scan->memory, scan->chunk, (size_t)wanted, (off_t)from);
    if (got < (ssize_t)secret->length) return found; /* a mapping of the kernel's */
    for (size_t i = 0; i + secret->length <= (size_t)got; i++)
      found += (unsigned)scan_matches(scan->chunk + i, secret, backwards);
    from += (uint64_t)got - secret->length + 1;
  }
  return found;
}

unsigned scan_count(struct scan *scan, const struct secret *secret, int backwards) {
  char line[512];
  unsigned found = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    uint64_t from, to;
    char permissions[5];
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, permissions) != 3) continue;
    if (permissions[0] != 'r' || permissions[1] != 'w') continue;
    uint64_t own = (uint64_t)(uintptr_t)scan->chunk;
    /* The kernel may join neighbouring mappings: search around the chunk. */
    if (from <= own && own < to) {
      found += count_in_range(scan, from, own, secret, backwards);
      from = own + CHUNK;
    }
    found += count_in_range(scan, from, to, secret, backwards);
  }
  if (maps != NULL) fclose(maps);
  return found;
}

void scan_expect(struct scan *scan, const char *when, const struct secret *secret,
                   unsigned expected) {
  unsigned forwards = scan_count(scan, secret, 0);
  unsigned backwards = scan_count(scan, secret, 1);
  if (forwards == expected && backwards == 0) {
    scan->passed++;
    return;
  }
  scan->failed++;
  printf("FAILED %s: %s found %u times and %u backwards, expected %u\n", when, secret->name,
         forwards, backwards, expected);
}

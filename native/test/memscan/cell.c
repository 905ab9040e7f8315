#define _GNU_SOURCE /* explicit_bzero */

#include "cell.h"

#include <string.h>

int cell_keep(struct cell *cell, const uint8_t *data, size_t length) {
  if (length > sizeof cell->data) return -1;
  memcpy(cell->data, data, length);
  cell->length = length;
  return 0;
}

int cell_take(struct cell *cell, uint8_t *out, size_t capacity, size_t *length) {
  *length = cell->length;
  if (*length == 0 || *length > capacity) return DC_STORE_ABSENT;
  memcpy(out, cell->data, *length);
  explicit_bzero(cell, sizeof *cell);
  return 0;
}

unsigned cell_holds(const struct cell *cell, const struct secret *secret) {
  unsigned found = 0;
  for (size_t i = 0; i + secret->length <= cell->length; i++)
    found += scan_matches(cell->data + i, secret, 0) != 0;
  return found;
}

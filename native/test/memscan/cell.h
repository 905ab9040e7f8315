#ifndef DC_TEST_CELL_H
#define DC_TEST_CELL_H

/* Memory that outlasts deep sleep; every start here is a wake from it. */

#include "scan.h"

struct cell {
  size_t length; /* 0: nothing is kept */
  uint8_t data[DC_SLEEP_SIZE];
};

/** What a port's sleep_keep and sleep_take do. */
int cell_keep(struct cell *cell, const uint8_t *data, size_t length);
int cell_take(struct cell *cell, uint8_t *out, size_t capacity, size_t *length);
/** How often the secret is kept. */
unsigned cell_holds(const struct cell *cell, const struct secret *secret);

#endif

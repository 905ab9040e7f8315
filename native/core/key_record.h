#ifndef DC_KEY_RECORD_H
#define DC_KEY_RECORD_H

/* How a stored key lies in the store: one slot, written and read whole. */

#include "internal.h"

enum dc_presence { DC_MISSING, DC_DAMAGED, DC_VALID };

struct dc_key_record {
  enum dc_presence presence;
  uint32_t counter;  /* the last value handed out, or about to be */
  uint64_t sequence; /* from 1; 0 unless valid */
  uint8_t secret[DC_SCALAR_SIZE];
  uint8_t public_key[DC_POINT_SIZE];
};

/** Reads slot 0 or 1 of the key; DC_ERR_STORE when port or hardware key fail, not for damage. */
int dc_key_record_read(struct dc *dc, struct dc_bytes id, unsigned slot,
                       struct dc_key_record *record);
/** Writes it and reads it back: flash that kept something else shows before it counts. */
int dc_key_record_write(struct dc *dc, struct dc_bytes id, unsigned slot,
                        const struct dc_key_record *record);

#endif

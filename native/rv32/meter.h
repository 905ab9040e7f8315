#ifndef DC_METER_H
#define DC_METER_H

/* Counts what one operation costs. Exact and repeatable: QEMU executes one instruction
 * per tick (-icount shift=0), and nothing else runs. */

#include <stddef.h>
#include <stdint.h>

struct cost {
  uint64_t instructions;
  size_t stack; /* bytes below the operation's caller that were written to */
  size_t heap;  /* most bytes allocated at a time, with what was allocated before */
};

/** Runs `operation(context)`. Its result goes to `status`. */
struct cost meter(int (*operation)(void *context), void *context, int *status);

/** Bytes allocated now. Each block counts 8 more, an allocator's own. */
size_t meter_heap(void);

#endif

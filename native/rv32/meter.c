#include "meter.h"

#include <string.h>

#define PAINT 0xa5u
#define PAINTED 8192u /* more than any operation may take; the stack has twice as much */
#define BLOCK_OVERHEAD 8u

/* The linker sends every calloc and free here (--wrap). */
void *__real_calloc(size_t count, size_t size);
void __real_free(void *block);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *block);

struct block {
  uint64_t size; /* 8 bytes, so that what follows is aligned as malloc aligns */
};

static size_t heap_now, heap_peak;

void *__wrap_calloc(size_t count, size_t size) {
  size_t bytes = count * size;
  struct block *block = __real_calloc(1, sizeof *block + bytes);
  if (block == NULL) return NULL;
  block->size = bytes;
  heap_now += bytes + BLOCK_OVERHEAD;
  if (heap_now > heap_peak) heap_peak = heap_now;
  return block + 1;
}

void __wrap_free(void *pointer) {
  if (pointer == NULL) return;
  struct block *block = (struct block *)pointer - 1;
  heap_now -= (size_t)block->size + BLOCK_OVERHEAD;
  __real_free(block);
}

size_t meter_heap(void) { return heap_now; }

static uint64_t instructions(void) {
  uint32_t high, low, again;
  /* minstret is 64 bits in two registers: read until the upper half stood still. */
  do {
    __asm__ volatile(".option push\n.option arch, +zicsr\n"
                     "csrr %0, minstreth\ncsrr %1, minstret\ncsrr %2, minstreth\n.option pop"
                     : "=r"(high), "=r"(low), "=r"(again));
  } while (high != again);
  return (uint64_t)high << 32 | low;
}

static uint8_t *stack_pointer(void) {
  uint8_t *pointer;
  __asm__ volatile("mv %0, sp" : "=r"(pointer));
  return pointer;
}

/* The stack grows down, so below sp nothing is anyone's: written word by word, without a call. */
static void paint(volatile uint8_t *end) {
  for (volatile uint8_t *at = end - PAINTED; at < end; at++) *at = PAINT;
}

static size_t written(const volatile uint8_t *end) {
  const volatile uint8_t *at = end - PAINTED;
  while (at < end && *at == PAINT) at++;
  return (size_t)(end - at);
}

/* Not inlined: paint and operation must start from the same stack pointer. */
__attribute__((noinline)) struct cost meter(int (*operation)(void *context), void *context,
                                            int *status) {
  struct cost cost;
  uint8_t *end = stack_pointer();
  /* leaves room for paint's own frame, which the operation's overwrites */
  paint(end - 64);
  heap_peak = heap_now;
  uint64_t start = instructions();
  *status = operation(context);
  cost.instructions = instructions() - start;
  cost.stack = written(end - 64) + 64;
  cost.heap = heap_peak;
  return cost;
}

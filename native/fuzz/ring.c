/*
 * The ring, driven by a script: against a list in memory as long as nothing is damaged,
 * and after damage or a power cut for what must hold then.
 *   pairs of (operation, argument)
 */
#include "host.h"

#define ENTRIES 1024u
#define STEPS 200u

/* What must be in it: entry n is `lengths[n]` bytes of value n. */
struct model {
  size_t lengths[ENTRIES];
  uint32_t first, end;
};

struct scene {
  struct host host;
  struct dc dc;
  struct model model;
  int is_exact; /* nothing was damaged so far */
};

static uint8_t out[DC_RING_ENTRY_MAX];

static void restart(struct scene *s) {
  dc_free(&s->dc);
  s->host.flash_until = UINT32_MAX;
  struct dc_port port = host_port(&s->host);
  dc_init(&s->dc, &port);
}

static int append(struct scene *s, size_t length, uint32_t *evicted) {
  static uint8_t content[DC_RING_ENTRY_MAX];
  memset(content, (uint8_t)s->model.end, length);
  struct dc_bytes entry = {content, length};
  return dc_ring_append(&s->dc, entry, evicted);
}

/* Each entry that is counted is there, and no more. */
static void check(struct scene *s) {
  uint32_t count;
  size_t length;
  int status = dc_ring_count(&s->dc, &count);
  MUST(status == 0);
  if (s->is_exact) MUST(count == s->model.end - s->model.first);
  for (uint32_t i = 0; i < count; i++) {
    MUST(dc_ring_peek(&s->dc, i, out, &length) == 0);
    MUST(length >= 1 && length <= DC_RING_ENTRY_MAX);
    uint32_t n = s->model.first + i;
    if (s->is_exact) MUST(length == s->model.lengths[n % ENTRIES] && out[0] == (uint8_t)n);
  }
  MUST(dc_ring_peek(&s->dc, count, out, &length) == DC_ABSENT);
}

/* What was appended is the last. */
static void check_last(struct scene *s, size_t size) {
  uint32_t count;
  size_t length;
  MUST(dc_ring_count(&s->dc, &count) == 0 && count > 0);
  MUST(dc_ring_peek(&s->dc, count - 1, out, &length) == 0);
  MUST(length == size && out[0] == (uint8_t)s->model.end);
}

static void step_append(struct scene *s, uint8_t argument) {
  size_t length = 1u + argument * 4u;
  uint32_t evicted = 0;
  int status = append(s, length, &evicted);
  if (s->is_exact) MUST(status == 0);
  if (status == 0) check_last(s, length);
  s->model.lengths[s->model.end % ENTRIES] = length;
  s->model.end++;
  s->model.first += evicted;
}

static void step_drop(struct scene *s, uint8_t argument) {
  uint32_t before, after;
  MUST(dc_ring_count(&s->dc, &before) == 0);
  int status = dc_ring_drop(&s->dc, argument);
  uint32_t dropped = argument < before ? argument : before;
  if (s->is_exact) MUST(status == 0);
  MUST(dc_ring_count(&s->dc, &after) == 0);
  if (status == 0) MUST(after == before - dropped);
  s->model.first += dropped;
}

/* Bits that were set are lost or come up anywhere: the ring is what it is then. */
static void step_damage(struct scene *s, struct input *input, uint8_t argument) {
  uint32_t at = (uint32_t)(argument << 8 | take_byte(input)) % sizeof s->host.flash;
  s->host.flash[at] ^= take_byte(input);
  s->is_exact = 0;
  restart(s);
}

/* The power goes at the argument-th write from now on; then the next boot. */
static void step_cut(struct scene *s, uint8_t argument) {
  uint32_t before, after, evicted = 0;
  MUST(dc_ring_count(&s->dc, &before) == 0);
  s->host.flash_until = argument % 4u;
  int status = append(s, 1u + argument, &evicted);
  restart(s);
  MUST(dc_ring_count(&s->dc, &after) == 0);
  if (s->is_exact) MUST(after <= before + 1);
  if (s->is_exact && status == 0) MUST(after == before + 1 - evicted);
  s->is_exact = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct scene s;
  struct input input = {data, size};
  memset(&s, 0, sizeof s);
  host_init(&s.host);
  s.is_exact = 1;
  restart(&s);
  for (unsigned i = 0; i < STEPS && input.length > 0; i++) {
    uint8_t operation = take_byte(&input) % 8, argument = take_byte(&input);
    if (operation < 3) step_append(&s, argument);
    else if (operation == 3) step_drop(&s, argument);
    else if (operation == 4) step_damage(&s, &input, argument);
    else if (operation == 5) step_cut(&s, argument);
    else if (operation == 6) restart(&s);
    else check(&s);
  }
  check(&s);
  dc_free(&s.dc);
  return 0;
}

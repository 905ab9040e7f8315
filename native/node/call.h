#ifndef DC_NODE_CALL_H
#define DC_NODE_CALL_H

/* One call from JavaScript: its arguments, its result, its error. */

#include <stdbool.h>

#include <node_api.h>

#include "dc.h"
#include "port_posix.h"

/** Parameters of the longest function. */
#define MAX_ARGUMENTS 6u

/**
 * Room for the byte arguments of one call: two of any size (aad and text; public key
 * and message) and the fixed ones beside them.
 */
#define ARENA_SIZE (2u * DC_INPUT_MAX + 256u)
/** The longest result: a ciphertext with its tag. */
#define RESULT_SIZE (DC_INPUT_MAX + DC_TAG_SIZE)

/** What open() makes. The functions of the JavaScript object share it. */
struct instance {
  struct dc dc;
  struct dc_posix store;
  unsigned functions; /* JavaScript functions that may still be called */
  bool open;
  size_t arena_used;
  uint8_t arena[ARENA_SIZE];
  size_t result_used;
  uint8_t result[RESULT_SIZE];
  char16_t text[DC_INPUT_MAX + 1u];
};

/** Once `failed` is set a JavaScript exception is pending and everything else is skipped. */
struct call {
  napi_env env;
  struct instance *instance;
  const char *function;
  size_t count;
  napi_value arguments[MAX_ARGUMENTS];
  bool failed;
};

/** Throws an Error (or, when `is_type`, a TypeError) with the code; the first one counts. */
void throw_error(struct call *call, const char *code, bool is_type, const char *message);
/** Throws for a DC_ERR_*; true when `status` is 0. */
bool check(struct call *call, int status);

/** The byte string at `index`, at most `max` bytes. Empty when the call has failed. */
struct dc_bytes take_bytes(struct call *call, size_t index, const char *name, size_t max);
/** The same of exactly `size` bytes; never NULL, so that it can be handed on. */
const uint8_t *take_exactly(struct call *call, size_t index, const char *name, size_t size);
/** An integer from 0 to 2^32 - 1. */
uint32_t take_number(struct call *call, size_t index, const char *name);
/** Unix seconds: an integer from 0 to 2^53 - 1. */
int64_t take_time(struct call *call, size_t index, const char *name);
/** A handle; 0, which names no key, for anything else than an integer. */
dc_handle take_handle(struct call *call, size_t index);

/** Room for a result of up to `size` bytes, wiped when the call ends. */
uint8_t *result_room(struct call *call, size_t size);

napi_value give_bytes(struct call *call, const uint8_t *data, size_t length);
napi_value give_number(struct call *call, uint32_t value);
napi_value give_boolean(struct call *call, bool value);
/** An object with a `prefix` and a `key`. */
napi_value give_prefix_and_key(struct call *call, const uint8_t *prefix, size_t length,
                               dc_handle key);

napi_value give_certificate(struct call *call, const struct dc_certificate *certificate);

/** Wipes the copies of arguments and result. */
void finish_call(struct call *call);

#endif

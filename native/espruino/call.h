#ifndef DC_ESPRUINO_CALL_H
#define DC_ESPRUINO_CALL_H

/*
 * One call from JavaScript: its arguments, its result, its error. Espruino's
 * counterpart of native/node/call.h.
 */

#include <stdbool.h>

#include "jsvar.h"

#include "dc.h"

/** Arguments of the longest function, and its byte arguments. */
#define MAX_ARGUMENTS 6u
#define MAX_COPIES 4u
/** Short arguments that do not lie in one piece are copied here: a reading's few hundred bytes. */
#define SHORT_SIZE 384u

/**
 * Stack that must be free before a call, with what Espruino needs to throw. The deepest
 * calculation takes 2.1 kB on RV32 (native/README.md), and more with Espruino's -Og.
 */
#define STACK_CURVE 4096u
#define STACK_AES 2048u
/**
 * The same for whatever reaches the port, as each first call does: to the core's own few hundred
 * bytes it adds NVS, flash that is erased, and a seeding of HMAC_DRBG with its buffer of 384 bytes.
 * A path of PATH_MAX bytes is Linux's alone, where this much below Espruino's limit is no end of
 * the stack.
 */
#define STACK_STORE 4096u

/** Memory outside JavaScript's, where what is scattered there finds room in one piece. */
struct memory {
  uint8_t *data; /* NULL for none */
  size_t size;
};

/**
 * Once `failed` is set an exception is pending, inputs read as empty, and nothing may
 * be calculated any more. Pointers into JavaScript's memory hold until the finish.
 */
struct call {
  struct dc *dc;
  const char *function;
  bool failed;
  JsVar *result;
  JsVar *spread[MAX_ARGUMENTS]; /* held until the finish; NULL where there is none */
  unsigned copy_count;
  struct memory copies[MAX_COPIES];
  struct memory staged; /* the result's bytes, where it does not lie in one piece */
  size_t short_used;
  uint8_t shorts[SHORT_SIZE];
};

/** Starts a call of the function of that name; opens the module if this is its first. */
void begin_call(struct call *call, const char *function, size_t stack);

/** Wipes all volatile keys: for the end of a program. */
void reset_module(void);

/** The arguments of a function that takes more than Espruino passes singly (four): into `spread`. */
void spread_arguments(struct call *call, JsVar *array);

/** Throws for a DC_ERR_*; true when `status` is 0. */
bool check(struct call *call, int status);

/** A byte string, Uint8Array or ArrayBuffer of at most `max` bytes. Empty when the call has failed. */
struct dc_bytes take_bytes(struct call *call, JsVar *var, const char *name, size_t max);
/** The same, as long as dc.h lets any input be. */
struct dc_bytes take_input(struct call *call, JsVar *var, const char *name);
/** The same of exactly `size` bytes; NULL when the call has failed. */
const uint8_t *take_exactly(struct call *call, JsVar *var, const char *name, size_t size);
/** An integer from 0 to 2^32 - 1. */
uint32_t take_number(struct call *call, JsVar *var, const char *name);
/** Unix seconds: an integer from 0 to 2^53 - 1. */
int64_t take_time(struct call *call, JsVar *var, const char *name);
/** The id of a stored key or record. */
struct dc_bytes take_id(struct call *call, JsVar *var);
/** A handle; 0, which names no key, for anything else than an integer. */
dc_handle take_handle(JsVar *var);

/**
 * The byte string that will be returned, made before anything is calculated: a call
 * that finds no memory for its result has used no sequence number and made no key.
 * JavaScript sees it after success only. NULL when the call has failed.
 */
uint8_t *make_result(struct call *call, size_t length);

/** The result; 0, with the exception pending, when the call has failed. */
JsVar *finish_call(struct call *call);
/** Bytes that had to be calculated before their number was known. */
JsVar *finish_with_bytes(struct call *call, const uint8_t *data, size_t length);
JsVar *finish_with_boolean(struct call *call, bool value);
JsVar *finish_with_number(struct call *call, uint32_t value);
/** A key that cannot be handed out, for want of memory, is destroyed. */
JsVar *finish_with_key(struct call *call, dc_handle key);
/** `{prefix, key}`, the prefix being what make_result made. */
JsVar *finish_with_prefix_and_key(struct call *call, dc_handle key);
/** `{publicKey, notBefore, notAfter}`. */
JsVar *finish_with_certificate(struct call *call, const struct dc_certificate *certificate);

/** Memory outside JavaScript's, for results too long for the stack; NULL when the call has failed. */
uint8_t *borrow_memory(struct call *call, size_t size);
/** Wipes it and gives it back: a record may hold a password. NULL is nothing. */
void return_memory(uint8_t *memory, size_t size);

#endif

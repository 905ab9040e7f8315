#include "call.h"

#include <stdio.h>
#include <string.h>

#include "dc_status.h"

#define MESSAGE_SIZE 200u
/* The largest integer of JavaScript that is one of its own. */
#define INTEGER_MAX 9007199254740991.0

/* Called through a volatile pointer, so that the compiler cannot drop a last memset. */
static void *(*const volatile wipe)(void *, int, size_t) = memset;

void throw_error(struct call *call, const char *code, bool is_type, const char *message) {
  if (call->failed) return;
  call->failed = true;
  if (is_type)
    napi_throw_type_error(call->env, code, message);
  else
    napi_throw_error(call->env, code, message);
}

/* For calls of Node-API itself: they fail when an exception is pending or Node is ending. */
static bool ok(struct call *call, napi_status status) {
  if (status == napi_ok) return true;
  call->failed = true;
  bool pending = true;
  if (napi_is_exception_pending(call->env, &pending) == napi_ok && !pending)
    napi_throw_error(call->env, "memory", "result, expected Node to make it, got a failure");
  return false;
}

/* The same with a property `cause`. */
static void throw_with_cause(struct call *call, const struct dc_meaning *meaning,
                             const char *message) {
  napi_value code, text, cause, error;
  napi_env env = call->env;
  if (ok(call, napi_create_string_utf8(env, meaning->code, NAPI_AUTO_LENGTH, &code)) &&
      ok(call, napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text)) &&
      ok(call, napi_create_string_utf8(env, meaning->cause, NAPI_AUTO_LENGTH, &cause)) &&
      ok(call, napi_create_error(env, code, text, &error)) &&
      ok(call, napi_set_named_property(env, error, "cause", cause)))
    napi_throw(env, error);
  call->failed = true;
}

bool check(struct call *call, int status) {
  if (call->failed || status == 0) return !call->failed;
  const struct dc_meaning *meaning = dc_meaning(status);
  char message[MESSAGE_SIZE];
  snprintf(message, sizeof message, "%s: %s", call->function, meaning->sentence);
  if (meaning->cause != NULL)
    throw_with_cause(call, meaning, message);
  else
    throw_error(call, meaning->code, false, message);
  return false;
}

static void refuse(struct call *call, const char *name, const char *expected, bool is_type) {
  char message[MESSAGE_SIZE];
  snprintf(message, sizeof message, "%s: %s, expected %s, got another kind", call->function, name,
           expected);
  throw_error(call, "argument", is_type, message);
}

static void refuse_size(struct call *call, const char *name, const char *bound, size_t size,
                        size_t got) {
  char message[MESSAGE_SIZE];
  snprintf(message, sizeof message, "%s: %s, expected %s %zu bytes, got %zu", call->function, name,
           bound, size, got);
  throw_error(call, "argument", false, message);
}

static napi_valuetype type_of(struct call *call, size_t index) {
  napi_valuetype type = napi_undefined;
  if (!call->failed && index < call->count)
    ok(call, napi_typeof(call->env, call->arguments[index], &type));
  return type;
}

/* The characters as bytes into the arena; false when one is above 255. */
static bool narrow(struct instance *instance, size_t length) {
  uint8_t *out = instance->arena + instance->arena_used;
  char16_t all = 0;
  for (size_t i = 0; i < length; i++) {
    all |= instance->text[i];
    out[i] = (uint8_t)instance->text[i];
  }
  instance->arena_used += length; /* also when refused, so that it is wiped */
  return all <= 0xff;
}

struct dc_bytes take_bytes(struct call *call, size_t index, const char *name, size_t max) {
  struct instance *instance = call->instance;
  struct dc_bytes bytes = {NULL, 0};
  if (type_of(call, index) != napi_string) {
    refuse(call, name, "a byte string", true);
    return bytes;
  }
  napi_value value = call->arguments[index];
  size_t length = 0;
  if (!ok(call, napi_get_value_string_utf16(call->env, value, NULL, 0, &length))) return bytes;
  if (length > max || length > ARENA_SIZE - instance->arena_used) {
    refuse_size(call, name, "at most", max, length);
    return bytes;
  }
  const uint8_t *data = instance->arena + instance->arena_used;
  if (!ok(call, napi_get_value_string_utf16(call->env, value, instance->text, length + 1, &length)))
    return bytes;
  bool narrowed = narrow(instance, length);
  wipe(instance->text, 0, length * sizeof instance->text[0]);
  if (!narrowed) {
    refuse(call, name, "a byte string (characters up to 255)", true);
    return bytes;
  }
  bytes.data = data;
  bytes.length = length;
  return bytes;
}

const uint8_t *take_exactly(struct call *call, size_t index, const char *name, size_t size) {
  struct dc_bytes bytes = take_bytes(call, index, name, DC_INPUT_MAX);
  if (!call->failed && bytes.length != size) refuse_size(call, name, "exactly", size, bytes.length);
  return call->failed ? call->instance->arena : bytes.data;
}

/* -1 for anything but an integer from 0 to `max`. */
static double get_integer(struct call *call, size_t index, double max) {
  double number = -1;
  if (type_of(call, index) != napi_number ||
      !ok(call, napi_get_value_double(call->env, call->arguments[index], &number)))
    return -1;
  if (!(number >= 0 && number <= max)) return -1; /* also NaN */
  return (double)(int64_t)number == number ? number : -1;
}

static double take_integer(struct call *call, size_t index, const char *name, double max,
                           const char *expected) {
  double number = get_integer(call, index, max);
  if (number < 0) refuse(call, name, expected, type_of(call, index) != napi_number);
  return number < 0 ? 0 : number;
}

uint32_t take_number(struct call *call, size_t index, const char *name) {
  return (uint32_t)take_integer(call, index, name, UINT32_MAX, "an integer from 0 to 2^32 - 1");
}

int64_t take_time(struct call *call, size_t index, const char *name) {
  return (int64_t)take_integer(call, index, name, INTEGER_MAX, "an integer from 0 to 2^53 - 1");
}

dc_handle take_handle(struct call *call, size_t index) {
  double number = get_integer(call, index, UINT32_MAX);
  return number < 0 ? 0 : (dc_handle)number;
}

uint8_t *result_room(struct call *call, size_t size) {
  /* The module itself refuses what is longer. */
  call->instance->result_used = size < RESULT_SIZE ? size : RESULT_SIZE;
  return call->instance->result;
}

napi_value give_bytes(struct call *call, const uint8_t *data, size_t length) {
  napi_value value = NULL;
  ok(call, napi_create_string_latin1(call->env, (const char *)data, length, &value));
  return value;
}

napi_value give_number(struct call *call, uint32_t number) {
  napi_value value = NULL;
  ok(call, napi_create_uint32(call->env, number, &value));
  return value;
}

napi_value give_boolean(struct call *call, bool boolean) {
  napi_value value = NULL;
  ok(call, napi_get_boolean(call->env, boolean, &value));
  return value;
}

napi_value give_prefix_and_key(struct call *call, const uint8_t *prefix, size_t length,
                               dc_handle key) {
  napi_value object = NULL;
  if (!ok(call, napi_create_object(call->env, &object))) return NULL;
  napi_value bytes = give_bytes(call, prefix, length);
  napi_value handle = give_number(call, key);
  if (call->failed) return NULL;
  if (!ok(call, napi_set_named_property(call->env, object, "prefix", bytes))) return NULL;
  ok(call, napi_set_named_property(call->env, object, "key", handle));
  return object;
}

napi_value give_certificate(struct call *call, const struct dc_certificate *certificate) {
  napi_env env = call->env;
  napi_value object, not_before, not_after;
  napi_value point = give_bytes(call, certificate->public_key, DC_POINT_SIZE);
  if (call->failed || !ok(call, napi_create_object(env, &object)) ||
      !ok(call, napi_create_int64(env, certificate->not_before, &not_before)) ||
      !ok(call, napi_create_int64(env, certificate->not_after, &not_after)) ||
      !ok(call, napi_set_named_property(env, object, "publicKey", point)) ||
      !ok(call, napi_set_named_property(env, object, "notBefore", not_before)) ||
      !ok(call, napi_set_named_property(env, object, "notAfter", not_after)))
    return NULL;
  return object;
}

void finish_call(struct call *call) {
  struct instance *instance = call->instance;
  wipe(instance->arena, 0, instance->arena_used);
  wipe(instance->result, 0, instance->result_used);
  instance->arena_used = 0;
  instance->result_used = 0;
}

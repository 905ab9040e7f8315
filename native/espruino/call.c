#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "jsparse.h"
#include "jsutils.h"
#include "jsvariterator.h"
#include "jswrap_error.h"

#include "dc_status.h"
#include "host.h"

/* By a pointer that the compiler cannot see through: it would leave a last write out. */
static void *(*const volatile wipe)(void *, int, size_t) = memset;

/* Variables that a scattered result leaves, for the error or object that may follow it. */
#define SPARE 32u

/* The largest integer of JavaScript that is one of its own. */
#define INTEGER_MAX 9007199254740991.0

/* The interpreter is one for a process or chip, and so is its module. It is opened by the
 * first call, so that a program without it makes no store; it then stays open for good:
 * handles of the program before load() must not name keys of the one after. */
static struct dc module;
static bool module_open;

/* `cause` may be NULL: most errors have none. Takes over `message`; the first error counts. */
static void throw_with_cause(struct call *call, const char *code, const char *cause, bool is_type,
                             JsVar *message) {
  if (!call->failed) {
    JsVar *error =
        is_type ? jswrap_typeerror_constructor(message) : jswrap_error_constructor(message);
    if (error != NULL) jsvObjectSetStringChild(error, "code", code);
    if (error != NULL && cause != NULL) jsvObjectSetStringChild(error, "cause", cause);
    if (error == NULL)
      jspSetError(); /* no memory for the error itself: Espruino ends the statement */
    else if (!jspHasError())
      jspSetException(error);
    jsvUnLock(error);
  }
  jsvUnLock(message);
  call->failed = true;
}

static void throw_error(struct call *call, const char *code, bool is_type, JsVar *message) {
  throw_with_cause(call, code, NULL, is_type, message);
}

bool check(struct call *call, int status) {
  if (call->failed || status == 0) return !call->failed;
  const struct dc_meaning *meaning = dc_meaning(status);
  throw_with_cause(call, meaning->code, meaning->cause, false,
                   jsvVarPrintf("%s: %s", call->function, meaning->sentence));
  return false;
}

static void open_module(struct call *call) {
  struct dc_port port;
  const char *reason;
  if (host_open(&port, &reason) != 0) {
    throw_error(call, "store", false, jsvVarPrintf("%s: store, %s", call->function, reason));
    return;
  }
  dc_init(&module, &port);
  module_open = true;
}

void begin_call(struct call *call, const char *function, size_t stack) {
  call->dc = &module;
  call->function = function;
  call->failed = false;
  call->result = NULL;
  for (unsigned i = 0; i < MAX_ARGUMENTS; i++) call->spread[i] = NULL;
  call->copy_count = 0;
  call->staged.data = NULL;
  call->short_used = 0;
  size_t needed = module_open || stack > STACK_STORE ? stack : STACK_STORE;
  size_t free_stack = jsuGetFreeStack();
  if (free_stack < needed)
    throw_error(call, "memory", false,
                jsvVarPrintf("%s: stack, expected %d bytes free, got %d", function, (int)needed,
                             (int)free_stack));
  if (!module_open && !call->failed) open_module(call);
}

void reset_module(void) {
  if (module_open) dc_free(&module);
}

/* Small integers of the array become variables of their own, which only the lock holds. */
void spread_arguments(struct call *call, JsVar *array) {
  jsvGetArrayItems(array, MAX_ARGUMENTS, call->spread);
}

static void refuse(struct call *call, const char *name, const char *expected, bool is_type) {
  throw_error(call, "argument", is_type,
              jsvVarPrintf("%s: %s, expected %s, got another kind", call->function, name, expected));
}

static void refuse_size(struct call *call, const char *name, const char *bound, size_t size,
                        size_t got) {
  throw_error(call, "argument", false,
              jsvVarPrintf("%s: %s, expected %s %d bytes, got %d", call->function, name, bound,
                           (int)size, (int)got));
}

/* False for what holds no bytes: other typed arrays count elements, not bytes, and
 * Espruino would take a number, an array or undefined for bytes without a word. */
static bool measure(JsVar *var, size_t *length) {
  if (jsvIsString(var) && !jsvIsUTF8String(var)) {
    *length = jsvGetStringLength(var);
    return true;
  }
  if (!jsvIsArrayBuffer(var)) return false;
  *length = jsvGetArrayBufferLength(var);
  return var->varData.arraybuffer.type == ARRAYBUFFERVIEW_UINT8 ||
         var->varData.arraybuffer.type == ARRAYBUFFERVIEW_ARRAYBUFFER;
}

/* Espruino makes a view of any offset and length, also past the end of its buffer, and
 * hands out what lies there. So only the string below both says how much there is. */
static bool is_backed(JsVar *var, size_t length) {
  if (!jsvIsArrayBuffer(var)) return true;
  uint32_t offset = 0;
  JsVar *backing = jsvGetArrayBufferBackingString(var, &offset);
  bool is_bytes = backing != NULL && jsvIsString(backing) && !jsvIsUTF8String(backing);
  size_t size = is_bytes ? jsvGetStringLength(backing) : 0;
  jsvUnLock(backing);
  return is_bytes && offset <= size && length <= size - offset;
}

static void refuse_view(struct call *call, const char *name) {
  throw_error(call, "argument", true,
              jsvVarPrintf("%s: %s, expected bytes within their buffer, got some past its end",
                           call->function, name));
}

/* Room for a copy: in the call, or on the heap until the finish. JavaScript's own memory may have
 * room enough and none in one piece. */
static uint8_t *make_room(struct call *call, size_t length) {
  if (length <= SHORT_SIZE - call->short_used) {
    uint8_t *room = call->shorts + call->short_used;
    call->short_used += length;
    return room;
  }
  if (call->copy_count == MAX_COPIES) {
    check(call, DC_ERR_MEMORY);
    return NULL;
  }
  uint8_t *room = borrow_memory(call, length);
  if (room != NULL) call->copies[call->copy_count++] = (struct memory){room, length};
  return room;
}

struct dc_bytes take_bytes(struct call *call, JsVar *var, const char *name, size_t max) {
  struct dc_bytes bytes = {NULL, 0};
  size_t length = 0;
  size_t got = 0;
  if (call->failed) return bytes;
  if (!measure(var, &length)) {
    refuse(call, name, "a byte string, Uint8Array or ArrayBuffer", true);
    return bytes;
  }
  if (!is_backed(var, length)) {
    refuse_view(call, name);
    return bytes;
  }
  if (length > max) {
    refuse_size(call, name, "at most", max, length);
    return bytes;
  }
  const uint8_t *data = (const uint8_t *)jsvGetDataPointer(var, &got);
  if (data == NULL) {
    uint8_t *room = make_room(call, length);
    if (room == NULL) return bytes;
    got = jsvIterateCallbackToBytes(var, room, (unsigned)length);
    data = room;
  }
  if (got != length) {
    refuse_view(call, name);
    return bytes;
  }
  bytes.data = data;
  bytes.length = length;
  return bytes;
}

struct dc_bytes take_input(struct call *call, JsVar *var, const char *name) {
  return take_bytes(call, var, name, DC_INPUT_MAX);
}

const uint8_t *take_exactly(struct call *call, JsVar *var, const char *name, size_t size) {
  struct dc_bytes bytes = take_bytes(call, var, name, DC_INPUT_MAX);
  if (!call->failed && bytes.length != size) refuse_size(call, name, "exactly", size, bytes.length);
  return call->failed ? NULL : bytes.data;
}

/* Pins are integers to Espruino, and true is one too. */
static bool is_number(JsVar *var) { return !jsvIsPin(var) && (jsvIsInt(var) || jsvIsFloat(var)); }

/* -1 for anything but an integer from 0 to `max`. */
static JsVarFloat get_integer(JsVar *var, JsVarFloat max) {
  if (!is_number(var)) return -1;
  JsVarFloat number = jsvGetFloat(var);
  if (!(number >= 0 && number <= max)) return -1; /* also NaN */
  return (JsVarFloat)(int64_t)number == number ? number : -1;
}

static JsVarFloat take_integer(struct call *call, JsVar *var, const char *name, JsVarFloat max,
                               const char *expected) {
  JsVarFloat number = get_integer(var, max);
  if (number < 0) refuse(call, name, expected, !is_number(var));
  return number < 0 ? 0 : number;
}

uint32_t take_number(struct call *call, JsVar *var, const char *name) {
  return (uint32_t)take_integer(call, var, name, UINT32_MAX, "an integer from 0 to 2^32 - 1");
}

int64_t take_time(struct call *call, JsVar *var, const char *name) {
  return (int64_t)take_integer(call, var, name, INTEGER_MAX, "an integer from 0 to 2^53 - 1");
}

struct dc_bytes take_id(struct call *call, JsVar *var) {
  return take_bytes(call, var, "id", DC_ID_MAX);
}

dc_handle take_handle(JsVar *var) {
  JsVarFloat number = get_integer(var, UINT32_MAX);
  return number < 0 ? 0 : (dc_handle)number;
}

/* In one piece where there is one. NULL where there is no room at all. */
static JsVar *new_string(size_t length) {
  JsVar *flat = jsvNewFlatStringOfLength((unsigned)length);
  if (flat != NULL) return flat;
  /* Asked before: Espruino ends the statement that finds no variable, past every catch. */
  bool fits = jsvMoreFreeVariablesThan((unsigned)length / JSVAR_DATA_STRING_LEN + SPARE);
  return fits ? jsvNewStringOfLength((unsigned)length, NULL) : NULL;
}

uint8_t *make_result(struct call *call, size_t length) {
  static uint8_t nothing[1];
  if (call->failed) return NULL;
  /* Espruino loses a variable with each flat string of no bytes. */
  call->result = length == 0 ? jsvNewFromEmptyString() : new_string(length);
  if (call->result == NULL) check(call, DC_ERR_MEMORY);
  if (call->result == NULL || length == 0) return call->failed ? NULL : nothing;
  if (jsvIsFlatString(call->result)) return (uint8_t *)jsvGetFlatStringPointer(call->result);
  call->staged = (struct memory){borrow_memory(call, length), length};
  return call->staged.data;
}

/* Puts what was calculated on the heap into the result. */
static void settle(struct call *call) {
  uint8_t *data = call->staged.data;
  if (data == NULL) return;
  if (!call->failed) {
    JsvStringIterator it;
    jsvStringIteratorNew(&it, call->result, 0);
    for (size_t i = 0; i < call->staged.size; i++) jsvStringIteratorSetCharAndNext(&it, (char)data[i]);
    jsvStringIteratorFree(&it);
  }
  return_memory(data, call->staged.size);
  call->staged.data = NULL;
}

JsVar *finish_call(struct call *call) {
  settle(call);
  for (unsigned i = 0; i < call->copy_count; i++)
    return_memory(call->copies[i].data, call->copies[i].size);
  jsvUnLockMany(MAX_ARGUMENTS, call->spread);
  if (!call->failed) return call->result;
  jsvUnLock(call->result);
  return NULL;
}

static JsVar *finish_with(struct call *call, JsVar *value) {
  if (!call->failed && value == NULL) check(call, DC_ERR_MEMORY);
  call->result = value;
  return finish_call(call);
}

JsVar *finish_with_boolean(struct call *call, bool value) {
  return finish_with(call, call->failed ? NULL : jsvNewFromBool(value));
}

JsVar *finish_with_number(struct call *call, uint32_t value) {
  return finish_with(call, call->failed ? NULL : jsvNewFromLongInteger(value));
}

JsVar *finish_with_key(struct call *call, dc_handle key) {
  bool made = !call->failed;
  JsVar *value = finish_with_number(call, key);
  if (made && value == NULL) dc_destroy_key(&module, key);
  return value;
}

JsVar *finish_with_bytes(struct call *call, const uint8_t *data, size_t length) {
  uint8_t *out = make_result(call, length);
  if (!call->failed) memcpy(out, data, length);
  return finish_call(call);
}

/* Takes over `value`, also when there is no memory for it (false) or it is NULL itself (false). */
static bool add_property(JsVar *object, const char *name, JsVar *value) {
  JsVar *property =
      object == NULL || value == NULL ? NULL : jsvAddNamedChild(object, value, name);
  jsvUnLock2(property, value);
  return property != NULL;
}

JsVar *finish_with_prefix_and_key(struct call *call, dc_handle key) {
  settle(call);
  if (call->failed) return finish_call(call);
  JsVar *object = jsvNewObject();
  bool made = add_property(object, "prefix", call->result);
  made = add_property(object, "key", jsvNewFromLongInteger(key)) && made;
  if (!made) {
    jsvUnLock(object);
    dc_destroy_key(&module, key);
    object = NULL;
  }
  return finish_with(call, object);
}

JsVar *finish_with_certificate(struct call *call, const struct dc_certificate *certificate) {
  uint8_t *out = make_result(call, DC_POINT_SIZE);
  if (call->failed) return finish_call(call);
  memcpy(out, certificate->public_key, DC_POINT_SIZE);
  settle(call);
  JsVar *object = jsvNewObject();
  bool made = add_property(object, "publicKey", call->result);
  made = add_property(object, "notBefore", jsvNewFromLongInteger(certificate->not_before)) && made;
  made = add_property(object, "notAfter", jsvNewFromLongInteger(certificate->not_after)) && made;
  if (!made) {
    jsvUnLock(object);
    object = NULL;
  }
  return finish_with(call, object);
}

uint8_t *borrow_memory(struct call *call, size_t size) {
  if (call->failed) return NULL;
  uint8_t *memory = malloc(size);
  if (memory == NULL) check(call, DC_ERR_MEMORY);
  return memory;
}

void return_memory(uint8_t *memory, size_t size) {
  if (memory != NULL) wipe(memory, 0, size);
  free(memory);
}

/*
 * The Node-API addon: open(directory) returns an object with the functions of
 * DeviceCrypto (protocol/cose/crypto.ts) and close(). Bytes are byte strings.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"

/* The longest path taken; longer ones are refused, not cut. */
#define PATH_SIZE 1024u

/* What a JavaScript function carries: the instance, and what to run (NULL: close). */
struct bound {
  struct instance *instance;
  const struct function *function;
};

static void close_instance(struct instance *instance) {
  if (instance->open) dc_free(&instance->dc);
  dc_posix_close(&instance->store);
  instance->open = false;
}

/* A function may outlive its object, so the instance lives as long as the last of them. */
static void release(struct instance *instance) {
  if (instance->functions > 0) instance->functions--;
  if (instance->functions > 0) return;
  close_instance(instance);
  free(instance);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct bound *bound = data;
  release(bound->instance);
  free(bound);
}

static napi_value dispatch(napi_env env, napi_callback_info info) {
  struct call call = {.env = env, .count = MAX_ARGUMENTS};
  void *data = NULL;
  if (napi_get_cb_info(env, info, &call.count, call.arguments, NULL, &data) != napi_ok) return NULL;
  const struct bound *bound = data;
  call.instance = bound->instance;
  if (call.count > MAX_ARGUMENTS) call.count = MAX_ARGUMENTS;
  if (bound->function == NULL) {
    close_instance(bound->instance);
    return NULL;
  }
  call.function = bound->function->name;
  if (!call.instance->open) {
    throw_error(&call, "key", false, "module, expected it to be open, got a closed one");
    return NULL;
  }
  napi_value result = bound->function->run(&call);
  finish_call(&call);
  return call.failed ? NULL : result;
}

/* False when Node could not make the function; the instance is then not held by it. */
static bool add_function(napi_env env, napi_value object, struct instance *instance,
                         const char *name, const struct function *function) {
  struct bound *bound = malloc(sizeof *bound);
  if (bound == NULL) return false;
  bound->instance = instance;
  bound->function = function;
  napi_value value;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, dispatch, bound, &value) != napi_ok ||
      napi_add_finalizer(env, value, bound, finalize, NULL, NULL) != napi_ok) {
    free(bound);
    return false;
  }
  instance->functions++;
  return napi_set_named_property(env, object, name, value) == napi_ok;
}

/* The count starts at one for the maker, so that no finalizer frees it half made. */
static napi_value make_object(napi_env env, struct instance *instance) {
  napi_value object;
  bool made = napi_create_object(env, &object) == napi_ok;
  instance->functions = 1;
  for (size_t i = 0; made && i < function_count; i++)
    made = add_function(env, object, instance, functions[i].name, &functions[i]);
  made = made && add_function(env, object, instance, "close", NULL);
  if (!made) close_instance(instance);
  release(instance);
  return made ? object : NULL;
}

/* The path is text, not a byte string; false when an exception is pending. */
static bool take_path(napi_env env, napi_callback_info info, char path[PATH_SIZE]) {
  size_t count = 1;
  size_t length = 0;
  napi_value argument;
  napi_valuetype type = napi_undefined;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok) return false;
  if (napi_typeof(env, argument, &type) != napi_ok) return false;
  if (type == napi_string &&
      napi_get_value_string_utf8(env, argument, path, PATH_SIZE, &length) != napi_ok)
    return false;
  /* Node-API cuts what is too long; a zero character would end the path early. */
  if (type == napi_string && length > 0 && length < PATH_SIZE - 4 && strlen(path) == length)
    return true;
  napi_throw_type_error(env, "argument", "open: directory, expected a path, got another kind");
  return false;
}

static napi_value open_directory(napi_env env, napi_callback_info info) {
  char path[PATH_SIZE];
  if (!take_path(env, info, path)) return NULL;
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) {
    napi_throw_error(env, "memory", "open: memory, expected enough for a module, got none");
    return NULL;
  }
  const char *reason;
  if (dc_posix_open(&instance->store, path, &reason) != 0) {
    char message[PATH_SIZE + 100];
    snprintf(message, sizeof message, "open: %s, %s", path, reason);
    napi_throw_error(env, "store", message);
    free(instance);
    return NULL;
  }
  struct dc_port port = dc_posix_port(&instance->store);
  dc_init(&instance->dc, &port);
  instance->open = true;
  napi_value object = make_object(env, instance);
  if (object == NULL) napi_throw_error(env, "memory", "open: object, expected Node to make it");
  return object;
}

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "open", NAPI_AUTO_LENGTH, open_directory, NULL, &function) !=
          napi_ok ||
      napi_set_named_property(env, exports, "open", function) != napi_ok)
    return NULL;
  return exports;
}

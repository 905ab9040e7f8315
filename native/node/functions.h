#ifndef DC_NODE_FUNCTIONS_H
#define DC_NODE_FUNCTIONS_H

#include "call.h"

/** A function of the JavaScript object: takes its arguments from the call, returns its result. */
struct function {
  const char *name; /* as in DeviceCrypto (protocol/cose/crypto.ts) */
  napi_value (*run)(struct call *call);
};

extern const struct function functions[];
extern const size_t function_count;

#endif

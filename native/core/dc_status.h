#ifndef DC_STATUS_H
#define DC_STATUS_H

/*
 * What a DC_ERR_* is called in JavaScript, for every host the same: the code of
 * protocol/errors.ts, and a sentence (thing, expected, got) to put after the name
 * of the function.
 */

#include <stddef.h>

#include "dc.h"

struct dc_meaning {
  int status;
  const char *code;
  const char *sentence;
};

static inline const struct dc_meaning *dc_meaning(int status) {
  static const struct dc_meaning meanings[] = {
      {DC_ERR_ARGUMENT, "argument",
       "argument, expected a known usage, a point of P-256 and the sizes of dc.h, got another"},
      {DC_ERR_KEY, "key",
       "key, expected a live handle whose usage allows this and a free slot, got neither"},
      {DC_ERR_RANDOM, "random", "random source, expected bytes, got a failure"},
      {DC_ERR_STORE, "store", "device key record, expected it whole and writable, got a failure"},
      {DC_ERR_SEQUENCE, "sequence",
       "number, expected the one just reserved and below the limit, got another"},
      {DC_ERR_DECRYPT, "decrypt", "tag or key wrap, expected it to verify, got another"},
      {DC_ERR_FORM, "form", "plaintext, expected the prefix and a key, got another length"},
      {DC_ERR_MEMORY, "memory", "memory, expected enough for the calculation, got none"},
  };
  for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
    if (meanings[i].status == status) return &meanings[i];
  return &meanings[0];
}

#endif

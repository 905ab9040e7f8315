#include "lasting.h"

/* NULL as a result is `undefined`, as in functions.c. */

static struct dc_bytes take_id(struct call *call) { return take_bytes(call, 0, "id", DC_ID_MAX); }

napi_value keep_session(struct call *call) {
  dc_handle key = take_handle(call, 0);
  if (!call->failed) check(call, dc_keep_session(&call->instance->dc, key));
  return NULL;
}

napi_value resume_session(struct call *call) {
  dc_handle key;
  int status = dc_resume_session(&call->instance->dc, &key);
  return status != DC_ABSENT && check(call, status) ? give_number(call, key) : NULL;
}

napi_value reset_reason(struct call *call) {
  return give_number(call, dc_reset_reason(&call->instance->dc));
}

napi_value generate_key_pair(struct call *call) {
  uint32_t usage = take_number(call, 0, "usage");
  dc_handle key;
  if (call->failed || !check(call, dc_generate_key_pair(&call->instance->dc, usage, &key)))
    return NULL;
  return give_number(call, key);
}

napi_value open_key(struct call *call) {
  struct dc_bytes id = take_id(call);
  dc_handle key;
  if (call->failed || !check(call, dc_open_key(&call->instance->dc, id, &key))) return NULL;
  return give_number(call, key);
}

napi_value has_key(struct call *call) {
  struct dc_bytes id = take_id(call);
  int present;
  if (call->failed || !check(call, dc_has_key(&call->instance->dc, id, &present))) return NULL;
  return give_boolean(call, present);
}

napi_value next_counter(struct call *call) {
  struct dc_bytes id = take_id(call);
  uint32_t counter;
  if (call->failed || !check(call, dc_next_counter(&call->instance->dc, id, &counter)))
    return NULL;
  return give_number(call, counter);
}

napi_value move_counter(struct call *call) {
  struct dc_bytes id = take_id(call);
  uint32_t counter = take_number(call, 1, "counter");
  if (!call->failed) check(call, dc_move_counter(&call->instance->dc, id, counter));
  return NULL;
}

napi_value erase_key(struct call *call) {
  struct dc_bytes id = take_id(call);
  if (!call->failed) check(call, dc_erase_key(&call->instance->dc, id));
  return NULL;
}

napi_value write_csr(struct call *call) {
  dc_handle key = take_handle(call, 0);
  uint8_t *out = result_room(call, DC_CSR_MAX);
  size_t length;
  if (call->failed || !check(call, dc_write_csr(&call->instance->dc, key, out, &length)))
    return NULL;
  return give_bytes(call, out, length);
}

napi_value verify_certificate(struct call *call) {
  struct dc_certificate certificate;
  struct dc_certificate_rules rules;
  struct dc_bytes leaf = take_bytes(call, 0, "certificate", DC_INPUT_MAX);
  struct dc_bytes anchor = take_bytes(call, 1, "anchor", DC_INPUT_MAX);
  rules.role = take_bytes(call, 2, "role", DC_ROLE_MAX);
  rules.key_usage = take_number(call, 3, "key usage");
  rules.issued_not_before = take_time(call, 4, "issued not before");
  rules.time_floor = take_time(call, 5, "time floor");
  if (call->failed || !check(call, dc_verify_certificate(&call->instance->dc, leaf, anchor, &rules,
                                                         &certificate)))
    return NULL;
  return give_certificate(call, &certificate);
}

napi_value write_record(struct call *call) {
  struct dc_bytes id = take_id(call);
  struct dc_bytes content = take_bytes(call, 1, "record", DC_RECORD_MAX);
  if (!call->failed) check(call, dc_write_record(&call->instance->dc, id, content));
  return NULL;
}

napi_value read_record(struct call *call) {
  struct dc_bytes id = take_id(call);
  uint8_t *out = result_room(call, DC_RECORD_MAX);
  size_t length;
  if (call->failed) return NULL;
  int status = dc_read_record(&call->instance->dc, id, out, &length);
  result_room(call, length);
  if (status == DC_ABSENT || !check(call, status)) return NULL;
  return give_bytes(call, out, length);
}

napi_value erase_record(struct call *call) {
  struct dc_bytes id = take_id(call);
  if (!call->failed) check(call, dc_erase_record(&call->instance->dc, id));
  return NULL;
}

napi_value erase_all(struct call *call) {
  check(call, dc_erase_all(&call->instance->dc));
  return NULL;
}

napi_value ring_append(struct call *call) {
  struct dc_bytes entry = take_bytes(call, 0, "entry", DC_RING_ENTRY_MAX);
  uint32_t evicted;
  if (call->failed || !check(call, dc_ring_append(&call->instance->dc, entry, &evicted)))
    return NULL;
  return give_number(call, evicted);
}

napi_value ring_peek(struct call *call) {
  uint32_t index = take_number(call, 0, "index");
  uint8_t *out = result_room(call, DC_RING_ENTRY_MAX);
  size_t length;
  if (call->failed) return NULL;
  int status = dc_ring_peek(&call->instance->dc, index, out, &length);
  if (status == DC_ABSENT || !check(call, status)) return NULL;
  return give_bytes(call, out, length);
}

napi_value ring_drop(struct call *call) {
  uint32_t count = take_number(call, 0, "count");
  if (!call->failed) check(call, dc_ring_drop(&call->instance->dc, count));
  return NULL;
}

napi_value ring_count(struct call *call) {
  uint32_t count;
  if (!check(call, dc_ring_count(&call->instance->dc, &count))) return NULL;
  return give_number(call, count);
}

/* require("devcrypto"), fifth part: records and the queue that survive a power cut. */

#include "jswrap_devcrypto_records.h"

#include "call.h"

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "writeRecord",
  "generate": "jswrap_devcrypto_writeRecord",
  "params": [
    ["id", "JsVar", "1 to 10 characters a-z and 0-9"],
    ["content", "JsVar", "up to 4096 bytes"]
  ],
  "return": ["JsVar", "undefined"]
}
Stores a record: after a power cut the old or the new is there, whole.
*/
JsVar *jswrap_devcrypto_writeRecord(JsVar *id, JsVar *content) {
  struct call call;
  begin_call(&call, "writeRecord", STACK_STORE);
  struct dc_bytes name = take_id(&call, id);
  struct dc_bytes bytes = take_bytes(&call, content, "record", DC_RECORD_MAX);
  if (!call.failed) check(&call, dc_write_record(call.dc, name, bytes));
  return finish_call(&call);
}

/* `status` DC_ABSENT: undefined. Gives the memory back, which is wiped as far as it may be filled. */
static JsVar *finish_with_found(struct call *call, int status, uint8_t *memory, size_t size,
                                size_t length) {
  bool found = !call->failed && status != DC_ABSENT && check(call, status);
  JsVar *result = found ? finish_with_bytes(call, memory, length) : finish_call(call);
  return_memory(memory, size);
  return result;
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "readRecord",
  "generate": "jswrap_devcrypto_readRecord",
  "params": [["id", "JsVar", "as for writeRecord"]],
  "return": ["JsVar", "the record, or undefined where there is none"]
}
Reads a record.
*/
JsVar *jswrap_devcrypto_readRecord(JsVar *id) {
  struct call call;
  begin_call(&call, "readRecord", STACK_STORE);
  struct dc_bytes name = take_id(&call, id);
  uint8_t *memory = borrow_memory(&call, DC_RECORD_MAX);
  size_t length = 0;
  int status = 0;
  if (!call.failed) status = dc_read_record(call.dc, name, memory, &length);
  return finish_with_found(&call, status, memory, DC_RECORD_MAX, length);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "eraseRecord",
  "generate": "jswrap_devcrypto_eraseRecord",
  "params": [["id", "JsVar", "as for writeRecord"]],
  "return": ["JsVar", "undefined"]
}
Erases a record.
*/
JsVar *jswrap_devcrypto_eraseRecord(JsVar *id) {
  struct call call;
  begin_call(&call, "eraseRecord", STACK_STORE);
  struct dc_bytes name = take_id(&call, id);
  if (!call.failed) check(&call, dc_erase_record(call.dc, name));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "eraseAll",
  "generate": "jswrap_devcrypto_eraseAll",
  "return": ["JsVar", "undefined"]
}
Physically erases all keys, records and the queue.
*/
JsVar *jswrap_devcrypto_eraseAll(void) {
  struct call call;
  begin_call(&call, "eraseAll", STACK_STORE);
  if (!call.failed) check(&call, dc_erase_all(call.dc));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "ringAppend",
  "generate": "jswrap_devcrypto_ringAppend",
  "params": [["entry", "JsVar", "1 to 1088 bytes"]],
  "return": ["JsVar", "how many of the oldest entries were lost"]
}
Adds an entry to the queue.
*/
JsVar *jswrap_devcrypto_ringAppend(JsVar *entry) {
  struct call call;
  begin_call(&call, "ringAppend", STACK_STORE);
  struct dc_bytes bytes = take_bytes(&call, entry, "entry", DC_RING_ENTRY_MAX);
  uint32_t evicted = 0;
  if (!call.failed) check(&call, dc_ring_append(call.dc, bytes, &evicted));
  return finish_with_number(&call, evicted);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "ringPeek",
  "generate": "jswrap_devcrypto_ringPeek",
  "params": [["index", "JsVar", "0 is the oldest"]],
  "return": ["JsVar", "the entry, or undefined past the last"]
}
An entry of the queue.
*/
JsVar *jswrap_devcrypto_ringPeek(JsVar *index) {
  struct call call;
  begin_call(&call, "ringPeek", STACK_STORE);
  uint32_t at = take_number(&call, index, "index");
  uint8_t *memory = borrow_memory(&call, DC_RING_ENTRY_MAX);
  size_t length = 0;
  int status = 0;
  if (!call.failed) status = dc_ring_peek(call.dc, at, memory, &length);
  return finish_with_found(&call, status, memory, DC_RING_ENTRY_MAX, length);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "ringDrop",
  "generate": "jswrap_devcrypto_ringDrop",
  "params": [["count", "JsVar", "how many"]],
  "return": ["JsVar", "undefined"]
}
Drops the oldest entries.
*/
JsVar *jswrap_devcrypto_ringDrop(JsVar *count) {
  struct call call;
  begin_call(&call, "ringDrop", STACK_STORE);
  uint32_t number = take_number(&call, count, "count");
  if (!call.failed) check(&call, dc_ring_drop(call.dc, number));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "ringCount",
  "generate": "jswrap_devcrypto_ringCount",
  "return": ["JsVar", "how many entries there are"]
}
The length of the queue.
*/
JsVar *jswrap_devcrypto_ringCount(void) {
  struct call call;
  begin_call(&call, "ringCount", STACK_STORE);
  uint32_t count = 0;
  if (!call.failed) check(&call, dc_ring_count(call.dc, &count));
  return finish_with_number(&call, count);
}

/* require("devcrypto"), third part: the device's own key, its counter, sequence numbers, deep sleep. */

#include "jswrap_devcrypto_device.h"

#include "call.h"

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "openDeviceKey",
  "generate": "jswrap_devcrypto_openDeviceKey",
  "return": ["JsVar", "the key's handle"]
}
The device's own P-256 key, made and stored on the first call of its life.
*/
JsVar *jswrap_devcrypto_openDeviceKey(void) {
  struct call call;
  begin_call(&call, "openDeviceKey", STACK_CURVE);
  dc_handle key = 0;
  if (!call.failed) check(&call, dc_open_device_key(call.dc, &key));
  return finish_with_key(&call, key);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "nextDeviceCounter",
  "generate": "jswrap_devcrypto_nextDeviceCounter",
  "return": ["JsVar", "the next value"]
}
The next value of the device counter, stored before it is returned.
*/
JsVar *jswrap_devcrypto_nextDeviceCounter(void) {
  struct call call;
  begin_call(&call, "nextDeviceCounter", STACK_STORE);
  uint32_t counter = 0;
  if (!call.failed) check(&call, dc_next_device_counter(call.dc, &counter));
  return finish_with_number(&call, counter);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "exportBaseIv",
  "generate": "jswrap_devcrypto_exportBaseIv",
  "params": [["key", "JsVar", "handle"]],
  "return": ["JsVar", "12 bytes"]
}
The Base IV of a key that has sequence numbers.
*/
JsVar *jswrap_devcrypto_exportBaseIv(JsVar *key) {
  struct call call;
  begin_call(&call, "exportBaseIv", STACK_AES);
  dc_handle handle = take_handle(key);
  uint8_t *out = make_result(&call, DC_NONCE_SIZE);
  if (!call.failed) check(&call, dc_export_base_iv(call.dc, handle, out));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "reserveSequence",
  "generate": "jswrap_devcrypto_reserveSequence",
  "params": [["key", "JsVar", "handle"]],
  "return": ["JsVar", "the number"]
}
The next sequence number of a key that has them.
*/
JsVar *jswrap_devcrypto_reserveSequence(JsVar *key) {
  struct call call;
  begin_call(&call, "reserveSequence", STACK_AES);
  dc_handle handle = take_handle(key);
  uint32_t sequence = 0;
  if (!call.failed) check(&call, dc_reserve_sequence(call.dc, handle, &sequence));
  return finish_with_number(&call, sequence);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "keepSession",
  "generate": "jswrap_devcrypto_keepSession",
  "params": [["key", "JsVar", "handle of a key with sequence numbers"]],
  "return": ["JsVar", "undefined"]
}
Right before deep sleep: keeps the key and its last number over it. The handle names nothing afterwards.
*/
JsVar *jswrap_devcrypto_keepSession(JsVar *key) {
  struct call call;
  begin_call(&call, "keepSession", STACK_STORE);
  dc_handle handle = take_handle(key);
  if (!call.failed) check(&call, dc_keep_session(call.dc, handle));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "resumeSession",
  "generate": "jswrap_devcrypto_resumeSession",
  "return": ["JsVar", "the key's handle, or undefined where none was kept"]
}
After a wake from deep sleep, once: the key that was kept.
*/
JsVar *jswrap_devcrypto_resumeSession(void) {
  struct call call;
  begin_call(&call, "resumeSession", STACK_STORE);
  dc_handle key = 0;
  int status = call.failed ? 0 : dc_resume_session(call.dc, &key);
  if (status == DC_ABSENT) return finish_call(&call);
  check(&call, status);
  return finish_with_key(&call, key);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "resetReason",
  "generate": "jswrap_devcrypto_resetReason",
  "return": ["JsVar", "a number of ESP-IDF's esp_reset_reason_t, 0 where nothing is known"]
}
Why the machine started.
*/
JsVar *jswrap_devcrypto_resetReason(void) {
  struct call call;
  begin_call(&call, "resetReason", STACK_STORE);
  uint32_t reason = call.failed ? 0 : dc_reset_reason(call.dc);
  return finish_with_number(&call, reason);
}

/* require("devcrypto"), fourth part: further keys of the device, and certificates. */

#include "jswrap_devcrypto_lasting.h"

#include "call.h"

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "generateKeyPair",
  "generate": "jswrap_devcrypto_generateKeyPair",
  "params": [["usage", "JsVar", "flags"]],
  "return": ["JsVar", "the key's handle"]
}
A fresh, volatile P-256 pair.
*/
JsVar *jswrap_devcrypto_generateKeyPair(JsVar *usage) {
  struct call call;
  begin_call(&call, "generateKeyPair", STACK_CURVE);
  uint32_t flags = take_number(&call, usage, "usage");
  dc_handle key = 0;
  if (!call.failed) check(&call, dc_generate_key_pair(call.dc, flags, &key));
  return finish_with_key(&call, key);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "openKey",
  "generate": "jswrap_devcrypto_openKey",
  "params": [["id", "JsVar", "1 to 10 characters a-z and 0-9"]],
  "return": ["JsVar", "the key's handle"]
}
The stored key of this id, made on the first call of its life.
*/
JsVar *jswrap_devcrypto_openKey(JsVar *id) {
  struct call call;
  begin_call(&call, "openKey", STACK_CURVE);
  struct dc_bytes name = take_id(&call, id);
  dc_handle key = 0;
  if (!call.failed) check(&call, dc_open_key(call.dc, name, &key));
  return finish_with_key(&call, key);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "hasKey",
  "generate": "jswrap_devcrypto_hasKey",
  "params": [["id", "JsVar", "as for openKey"]],
  "return": ["JsVar", "whether anything is stored under the id"]
}
Whether there is a stored key.
*/
JsVar *jswrap_devcrypto_hasKey(JsVar *id) {
  struct call call;
  begin_call(&call, "hasKey", STACK_STORE);
  struct dc_bytes name = take_id(&call, id);
  int present = 0;
  if (!call.failed) check(&call, dc_has_key(call.dc, name, &present));
  return finish_with_boolean(&call, present);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "nextCounter",
  "generate": "jswrap_devcrypto_nextCounter",
  "params": [["id", "JsVar", "as for openKey"]],
  "return": ["JsVar", "the next value"]
}
The next value of a stored key's counter, stored before it is returned.
*/
JsVar *jswrap_devcrypto_nextCounter(JsVar *id) {
  struct call call;
  begin_call(&call, "nextCounter", STACK_STORE);
  struct dc_bytes name = take_id(&call, id);
  uint32_t counter = 0;
  if (!call.failed) check(&call, dc_next_counter(call.dc, name, &counter));
  return finish_with_number(&call, counter);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "moveCounter",
  "generate": "jswrap_devcrypto_moveCounter",
  "params": [
    ["id", "JsVar", "as for openKey"],
    ["counter", "JsVar", "the next value is above it"]
  ],
  "return": ["JsVar", "undefined"]
}
Moves a stored key's counter forward, never back.
*/
JsVar *jswrap_devcrypto_moveCounter(JsVar *id, JsVar *counter) {
  struct call call;
  begin_call(&call, "moveCounter", STACK_STORE);
  struct dc_bytes name = take_id(&call, id);
  uint32_t value = take_number(&call, counter, "counter");
  if (!call.failed) check(&call, dc_move_counter(call.dc, name, value));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "eraseKey",
  "generate": "jswrap_devcrypto_eraseKey",
  "params": [["id", "JsVar", "as for openKey"]],
  "return": ["JsVar", "undefined"]
}
Erases a stored key.
*/
JsVar *jswrap_devcrypto_eraseKey(JsVar *id) {
  struct call call;
  begin_call(&call, "eraseKey", STACK_STORE);
  struct dc_bytes name = take_id(&call, id);
  if (!call.failed) check(&call, dc_erase_key(call.dc, name));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "writeCsr",
  "generate": "jswrap_devcrypto_writeCsr",
  "params": [["key", "JsVar", "handle of a key that signs"]],
  "return": ["JsVar", "DER"]
}
A certificate signing request.
*/
JsVar *jswrap_devcrypto_writeCsr(JsVar *key) {
  struct call call;
  begin_call(&call, "writeCsr", STACK_CURVE);
  dc_handle handle = take_handle(key);
  uint8_t csr[DC_CSR_MAX];
  size_t length = 0;
  if (!call.failed) check(&call, dc_write_csr(call.dc, handle, csr, &length));
  return finish_with_bytes(&call, csr, length);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "verifyCertificate",
  "generate": "jswrap_devcrypto_verifyCertificate",
  "params": [["arguments", "JsVarArray", "leaf, anchor, role, keyUsage, issuedNotBefore, timeFloor"]],
  "return": ["JsVar", "an object with publicKey, notBefore and notAfter"]
}
Accepts a certificate right below the anchor, or throws an error with the rule it breaks.
*/
JsVar *jswrap_devcrypto_verifyCertificate(JsVar *arguments) {
  struct call call;
  struct dc_certificate certificate;
  struct dc_certificate_rules rules;
  begin_call(&call, "verifyCertificate", STACK_CURVE);
  spread_arguments(&call, arguments);
  struct dc_bytes leaf = take_input(&call, call.spread[0], "certificate");
  struct dc_bytes anchor = take_input(&call, call.spread[1], "anchor");
  rules.role = take_bytes(&call, call.spread[2], "role", DC_ROLE_MAX);
  rules.key_usage = take_number(&call, call.spread[3], "key usage");
  rules.issued_not_before = take_time(&call, call.spread[4], "issued not before");
  rules.time_floor = take_time(&call, call.spread[5], "time floor");
  if (!call.failed)
    check(&call, dc_verify_certificate(call.dc, leaf, anchor, &rules, &certificate));
  return finish_with_certificate(&call, &certificate);
}

/*
 * require("devcrypto"): DeviceCrypto of protocol/cose/crypto.ts, name by name, as
 * Espruino's build reads it from the comments. Bytes go in as byte strings, Uint8Array
 * or ArrayBuffer and come out as byte strings; keys are integers; errors carry a
 * `.code` of protocol/errors.ts. Here: what needs no nonce. Further functions are in
 * jswrap_devcrypto_aead.c and jswrap_devcrypto_device.c.
 */

#include "jswrap_devcrypto.h"

#include "call.h"

/*JSON{
  "type": "library",
  "class": "devcrypto"
}
Keys that never become JavaScript values, and what is done with them.
*/

/*JSON{
  "type": "kill",
  "generate": "jswrap_devcrypto_kill"
}*/
void jswrap_devcrypto_kill(void) {
  reset_module();
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "generateRandom",
  "generate": "jswrap_devcrypto_generateRandom",
  "params": [["length", "JsVar", "how many bytes"]],
  "return": ["JsVar", "random bytes"]
}
Random bytes from a cryptographic source, which Espruino's own are not.
*/
JsVar *jswrap_devcrypto_generateRandom(JsVar *length) {
  struct call call;
  begin_call(&call, "generateRandom", STACK_STORE);
  uint32_t size = take_number(&call, length, "length");
  if (size > DC_INPUT_MAX) check(&call, DC_ERR_ARGUMENT);
  uint8_t *out = make_result(&call, size);
  if (!call.failed) check(&call, dc_generate_random(call.dc, out, size));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "hashCompute",
  "generate": "jswrap_devcrypto_hashCompute",
  "params": [["input", "JsVar", "bytes"]],
  "return": ["JsVar", "32 bytes"]
}
SHA-256.
*/
JsVar *jswrap_devcrypto_hashCompute(JsVar *input) {
  struct call call;
  begin_call(&call, "hashCompute", STACK_AES);
  struct dc_bytes bytes = take_input(&call, input, "input");
  uint8_t *out = make_result(&call, DC_HASH_SIZE);
  if (!call.failed) check(&call, dc_hash_compute(bytes, out));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "generateKey",
  "generate": "jswrap_devcrypto_generateKey",
  "params": [["usage", "JsVar", "flags"]],
  "return": ["JsVar", "the key's handle"]
}
A fresh, volatile AES-128 key.
*/
JsVar *jswrap_devcrypto_generateKey(JsVar *usage) {
  struct call call;
  begin_call(&call, "generateKey", STACK_STORE);
  uint32_t flags = take_number(&call, usage, "usage");
  dc_handle key = 0;
  if (!call.failed) check(&call, dc_generate_key(call.dc, flags, &key));
  return finish_with_key(&call, key);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "destroyKey",
  "generate": "jswrap_devcrypto_destroyKey",
  "params": [["key", "JsVar", "handle"]],
  "return": ["JsVar", "undefined"]
}
Wipes a volatile key.
*/
JsVar *jswrap_devcrypto_destroyKey(JsVar *key) {
  struct call call;
  begin_call(&call, "destroyKey", STACK_AES);
  dc_handle handle = take_handle(key);
  if (!call.failed) check(&call, dc_destroy_key(call.dc, handle));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "exportPublicKey",
  "generate": "jswrap_devcrypto_exportPublicKey",
  "params": [["key", "JsVar", "handle of a P-256 key"]],
  "return": ["JsVar", "65 bytes"]
}
The public point.
*/
JsVar *jswrap_devcrypto_exportPublicKey(JsVar *key) {
  struct call call;
  begin_call(&call, "exportPublicKey", STACK_AES);
  dc_handle handle = take_handle(key);
  uint8_t *out = make_result(&call, DC_POINT_SIZE);
  if (!call.failed) check(&call, dc_export_public_key(call.dc, handle, out));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "signMessage",
  "generate": "jswrap_devcrypto_signMessage",
  "params": [
    ["key", "JsVar", "handle of the device key"],
    ["message", "JsVar", "bytes"]
  ],
  "return": ["JsVar", "64 bytes, r then s"]
}
ES256 over the message.
*/
JsVar *jswrap_devcrypto_signMessage(JsVar *key, JsVar *message) {
  struct call call;
  begin_call(&call, "signMessage", STACK_CURVE);
  dc_handle handle = take_handle(key);
  struct dc_bytes bytes = take_input(&call, message, "message");
  uint8_t *out = make_result(&call, DC_SIGNATURE_SIZE);
  if (!call.failed) check(&call, dc_sign_message(call.dc, handle, bytes, out));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "verifyMessage",
  "generate": "jswrap_devcrypto_verifyMessage",
  "params": [
    ["publicKey", "JsVar", "65 bytes"],
    ["message", "JsVar", "bytes"],
    ["signature", "JsVar", "64 bytes"]
  ],
  "return": ["JsVar", "whether it is the key's over the message"]
}
Checks an ES256 signature.
*/
JsVar *jswrap_devcrypto_verifyMessage(JsVar *public_key, JsVar *message, JsVar *signature) {
  struct call call;
  begin_call(&call, "verifyMessage", STACK_CURVE);
  const uint8_t *point = take_exactly(&call, public_key, "public key", DC_POINT_SIZE);
  struct dc_bytes bytes = take_input(&call, message, "message");
  const uint8_t *signed_by = take_exactly(&call, signature, "signature", DC_SIGNATURE_SIZE);
  int status = DC_ERR_SIGNATURE;
  if (!call.failed) status = dc_verify_message(call.dc, point, bytes, signed_by);
  if (status != DC_ERR_SIGNATURE) check(&call, status);
  return finish_with_boolean(&call, status == 0);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "keyAgreementWrap",
  "generate": "jswrap_devcrypto_keyAgreementWrap",
  "params": [
    ["publicKey", "JsVar", "65 bytes"],
    ["kdfContext", "JsVar", "bytes"],
    ["carried", "JsVar", "handle of the key to wrap"]
  ],
  "return": ["JsVar", "the ephemeral point (65 bytes), then the wrapped key (24 bytes)"]
}
ECDH-ES+A128KW with a fresh ephemeral key.
*/
JsVar *jswrap_devcrypto_keyAgreementWrap(JsVar *public_key, JsVar *kdf_context, JsVar *carried) {
  struct call call;
  begin_call(&call, "keyAgreementWrap", STACK_CURVE);
  const uint8_t *point = take_exactly(&call, public_key, "public key", DC_POINT_SIZE);
  struct dc_bytes context = take_input(&call, kdf_context, "KDF context");
  dc_handle handle = take_handle(carried);
  uint8_t *out = make_result(&call, DC_AGREED_SIZE);
  if (!call.failed)
    check(&call, dc_key_agreement_wrap(call.dc, point, context, handle, out));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "keyAgreementUnwrap",
  "generate": "jswrap_devcrypto_keyAgreementUnwrap",
  "params": [["arguments", "JsVarArray", "key, ephemeralPublicKey (65 or 33 bytes), kdfContext, wrapped (24 bytes), usage"]],
  "return": ["JsVar", "the key's handle"]
}
The way back of keyAgreementWrap.
*/
JsVar *jswrap_devcrypto_keyAgreementUnwrap(JsVar *arguments) {
  struct call call;
  begin_call(&call, "keyAgreementUnwrap", STACK_CURVE);
  spread_arguments(&call, arguments);
  dc_handle key = take_handle(call.spread[0]);
  struct dc_bytes ephemeral = take_bytes(&call, call.spread[1], "ephemeral public key", DC_POINT_SIZE);
  struct dc_bytes context = take_input(&call, call.spread[2], "KDF context");
  const uint8_t *wrapped = take_exactly(&call, call.spread[3], "wrapped key", DC_WRAPPED_SIZE);
  uint32_t usage = take_number(&call, call.spread[4], "usage");
  dc_handle unwrapped = 0;
  if (!call.failed)
    check(&call, dc_key_agreement_unwrap(call.dc, key, ephemeral, context, wrapped, usage,
                                         &unwrapped));
  return finish_with_key(&call, unwrapped);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "deriveKey",
  "generate": "jswrap_devcrypto_deriveKey",
  "params": [
    ["key", "JsVar", "handle of a key for deriving"],
    ["info", "JsVar", "bytes"],
    ["usage", "JsVar", "flags of the new key"]
  ],
  "return": ["JsVar", "the new key's handle"]
}
HKDF-SHA-256 with empty salt.
*/
JsVar *jswrap_devcrypto_deriveKey(JsVar *key, JsVar *info, JsVar *usage) {
  struct call call;
  begin_call(&call, "deriveKey", STACK_AES);
  dc_handle handle = take_handle(key);
  struct dc_bytes bytes = take_input(&call, info, "info");
  uint32_t flags = take_number(&call, usage, "usage");
  dc_handle derived = 0;
  if (!call.failed) check(&call, dc_derive_key(call.dc, handle, bytes, flags, &derived));
  return finish_with_key(&call, derived);
}

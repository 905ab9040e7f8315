/* require("devcrypto"), second part: AES-128-GCM in its three forms. */

#include "jswrap_devcrypto_aead.h"

#include "call.h"

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "aeadEncrypt",
  "generate": "jswrap_devcrypto_aeadEncrypt",
  "params": [
    ["key", "JsVar", "handle"],
    ["nonce", "JsVar", "12 bytes"],
    ["aad", "JsVar", "bytes"],
    ["plaintext", "JsVar", "bytes"]
  ],
  "return": ["JsVar", "ciphertext, then a tag of 16 bytes"]
}
AES-128-GCM with a nonce of the caller's.
*/
JsVar *jswrap_devcrypto_aeadEncrypt(JsVar *key, JsVar *nonce, JsVar *aad, JsVar *plaintext) {
  struct call call;
  begin_call(&call, "aeadEncrypt", STACK_AES);
  dc_handle handle = take_handle(key);
  const uint8_t *iv = take_exactly(&call, nonce, "nonce", DC_NONCE_SIZE);
  struct dc_bytes additional = take_input(&call, aad, "additional data");
  struct dc_bytes text = take_input(&call, plaintext, "plaintext");
  uint8_t *out = make_result(&call, text.length + DC_TAG_SIZE);
  if (!call.failed) check(&call, dc_aead_encrypt(call.dc, handle, iv, additional, text, out));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "aeadDecrypt",
  "generate": "jswrap_devcrypto_aeadDecrypt",
  "params": [
    ["key", "JsVar", "handle"],
    ["nonce", "JsVar", "12 bytes"],
    ["aad", "JsVar", "bytes"],
    ["ciphertext", "JsVar", "bytes, the tag last"]
  ],
  "return": ["JsVar", "the plaintext"]
}
The way back of aeadEncrypt.
*/
JsVar *jswrap_devcrypto_aeadDecrypt(JsVar *key, JsVar *nonce, JsVar *aad, JsVar *ciphertext) {
  struct call call;
  begin_call(&call, "aeadDecrypt", STACK_AES);
  dc_handle handle = take_handle(key);
  const uint8_t *iv = take_exactly(&call, nonce, "nonce", DC_NONCE_SIZE);
  struct dc_bytes additional = take_input(&call, aad, "additional data");
  struct dc_bytes text = take_input(&call, ciphertext, "ciphertext");
  /* Shorter than a tag: the core says that it does not verify. */
  uint8_t *out = make_result(&call, text.length < DC_TAG_SIZE ? 0 : text.length - DC_TAG_SIZE);
  if (!call.failed) check(&call, dc_aead_decrypt(call.dc, handle, iv, additional, text, out));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "aeadEncryptKey",
  "generate": "jswrap_devcrypto_aeadEncryptKey",
  "params": [["arguments", "JsVarArray", "key, nonce (12 bytes), aad, prefix, carried (handle)"]],
  "return": ["JsVar", "ciphertext of prefix and key, then a tag of 16 bytes"]
}
AES-128-GCM over a prefix and another key.
*/
JsVar *jswrap_devcrypto_aeadEncryptKey(JsVar *arguments) {
  struct call call;
  begin_call(&call, "aeadEncryptKey", STACK_AES);
  spread_arguments(&call, arguments);
  dc_handle key = take_handle(call.spread[0]);
  const uint8_t *nonce = take_exactly(&call, call.spread[1], "nonce", DC_NONCE_SIZE);
  struct dc_bytes aad = take_input(&call, call.spread[2], "additional data");
  struct dc_bytes prefix = take_bytes(&call, call.spread[3], "prefix", DC_PREFIX_MAX);
  dc_handle carried = take_handle(call.spread[4]);
  uint8_t *out = make_result(&call, prefix.length + DC_KEY_SIZE + DC_TAG_SIZE);
  if (!call.failed)
    check(&call, dc_aead_encrypt_key(call.dc, key, nonce, aad, prefix, carried, out));
  return finish_call(&call);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "aeadDecryptKey",
  "generate": "jswrap_devcrypto_aeadDecryptKey",
  "params": [["arguments", "JsVarArray", "key, nonce (12 bytes), aad, ciphertext, prefixLength, usage"]],
  "return": ["JsVar", "an object with prefix (bytes) and key (handle)"]
}
The way back of aeadEncryptKey.
*/
JsVar *jswrap_devcrypto_aeadDecryptKey(JsVar *arguments) {
  struct call call;
  begin_call(&call, "aeadDecryptKey", STACK_AES);
  spread_arguments(&call, arguments);
  dc_handle key = take_handle(call.spread[0]);
  const uint8_t *nonce = take_exactly(&call, call.spread[1], "nonce", DC_NONCE_SIZE);
  struct dc_bytes aad = take_input(&call, call.spread[2], "additional data");
  struct dc_bytes ciphertext = take_input(&call, call.spread[3], "ciphertext");
  uint32_t prefix_length = take_number(&call, call.spread[4], "prefix length");
  uint32_t usage = take_number(&call, call.spread[5], "usage");
  /* A longer one is refused by the core, which then writes nothing. */
  uint8_t *prefix = make_result(&call, prefix_length > DC_PREFIX_MAX ? 0 : prefix_length);
  dc_handle carried = 0;
  if (!call.failed)
    check(&call, dc_aead_decrypt_key(call.dc, key, nonce, aad, ciphertext, prefix_length, usage,
                                     prefix, &carried));
  return finish_with_prefix_and_key(&call, carried);
}

/*JSON{
  "type": "staticmethod",
  "class": "devcrypto",
  "name": "aeadEncryptSequence",
  "generate": "jswrap_devcrypto_aeadEncryptSequence",
  "params": [
    ["key", "JsVar", "handle"],
    ["sequence", "JsVar", "the number just reserved"],
    ["aad", "JsVar", "bytes"],
    ["plaintext", "JsVar", "bytes"]
  ],
  "return": ["JsVar", "ciphertext, then a tag of 16 bytes"]
}
AES-128-GCM under a sequence number, which is used up.
*/
JsVar *jswrap_devcrypto_aeadEncryptSequence(JsVar *key, JsVar *sequence, JsVar *aad,
                                            JsVar *plaintext) {
  struct call call;
  begin_call(&call, "aeadEncryptSequence", STACK_AES);
  dc_handle handle = take_handle(key);
  uint32_t number = take_number(&call, sequence, "sequence number");
  struct dc_bytes additional = take_input(&call, aad, "additional data");
  struct dc_bytes text = take_input(&call, plaintext, "plaintext");
  uint8_t *out = make_result(&call, text.length + DC_TAG_SIZE);
  if (!call.failed)
    check(&call, dc_aead_encrypt_sequence(call.dc, handle, number, additional, text, out));
  return finish_call(&call);
}

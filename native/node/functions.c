#include "functions.h"
#include "lasting.h"

/*
 * DeviceCrypto, name by name. Each reads all its arguments first; a bad one leaves
 * the call failed and `check` (which then is false) ends the function.
 * NULL as a result is `undefined`.
 */

static struct dc_bytes take_input(struct call *call, size_t index, const char *name) {
  return take_bytes(call, index, name, DC_INPUT_MAX);
}

static napi_value generate_random(struct call *call) {
  uint32_t length = take_number(call, 0, "length");
  uint8_t *out = result_room(call, length);
  if (call->failed || !check(call, dc_generate_random(&call->instance->dc, out, length)))
    return NULL;
  return give_bytes(call, out, length);
}

static napi_value hash_compute(struct call *call) {
  struct dc_bytes input = take_input(call, 0, "input");
  uint8_t *out = result_room(call, DC_HASH_SIZE);
  if (call->failed || !check(call, dc_hash_compute(input, out))) return NULL;
  return give_bytes(call, out, DC_HASH_SIZE);
}

static napi_value generate_key(struct call *call) {
  uint32_t usage = take_number(call, 0, "usage");
  dc_handle key;
  if (call->failed || !check(call, dc_generate_key(&call->instance->dc, usage, &key))) return NULL;
  return give_number(call, key);
}

static napi_value destroy_key(struct call *call) {
  dc_handle key = take_handle(call, 0);
  if (!call->failed) check(call, dc_destroy_key(&call->instance->dc, key));
  return NULL;
}

static napi_value export_public_key(struct call *call) {
  dc_handle key = take_handle(call, 0);
  uint8_t *out = result_room(call, DC_POINT_SIZE);
  if (call->failed || !check(call, dc_export_public_key(&call->instance->dc, key, out)))
    return NULL;
  return give_bytes(call, out, DC_POINT_SIZE);
}

static napi_value sign_message(struct call *call) {
  dc_handle key = take_handle(call, 0);
  struct dc_bytes message = take_input(call, 1, "message");
  uint8_t *out = result_room(call, DC_SIGNATURE_SIZE);
  if (call->failed || !check(call, dc_sign_message(&call->instance->dc, key, message, out)))
    return NULL;
  return give_bytes(call, out, DC_SIGNATURE_SIZE);
}

static napi_value verify_message(struct call *call) {
  const uint8_t *public_key = take_exactly(call, 0, "public key", DC_POINT_SIZE);
  struct dc_bytes message = take_input(call, 1, "message");
  const uint8_t *signature = take_exactly(call, 2, "signature", DC_SIGNATURE_SIZE);
  if (call->failed) return NULL;
  int status = dc_verify_message(&call->instance->dc, public_key, message, signature);
  if (status == DC_ERR_SIGNATURE) return give_boolean(call, false);
  return check(call, status) ? give_boolean(call, true) : NULL;
}

static napi_value key_agreement_wrap(struct call *call) {
  const uint8_t *public_key = take_exactly(call, 0, "public key", DC_POINT_SIZE);
  struct dc_bytes kdf_context = take_input(call, 1, "KDF context");
  dc_handle carried = take_handle(call, 2);
  uint8_t *out = result_room(call, DC_AGREED_SIZE);
  if (call->failed ||
      !check(call,
             dc_key_agreement_wrap(&call->instance->dc, public_key, kdf_context, carried, out)))
    return NULL;
  return give_bytes(call, out, DC_AGREED_SIZE);
}

static napi_value key_agreement_unwrap(struct call *call) {
  dc_handle key = take_handle(call, 0);
  struct dc_bytes ephemeral = take_bytes(call, 1, "ephemeral public key", DC_POINT_SIZE);
  struct dc_bytes kdf_context = take_input(call, 2, "KDF context");
  const uint8_t *wrapped = take_exactly(call, 3, "wrapped key", DC_WRAPPED_SIZE);
  uint32_t usage = take_number(call, 4, "usage");
  dc_handle unwrapped;
  if (call->failed || !check(call, dc_key_agreement_unwrap(&call->instance->dc, key, ephemeral,
                                                           kdf_context, wrapped, usage,
                                                           &unwrapped)))
    return NULL;
  return give_number(call, unwrapped);
}

static napi_value aead_encrypt(struct call *call) {
  dc_handle key = take_handle(call, 0);
  const uint8_t *nonce = take_exactly(call, 1, "nonce", DC_NONCE_SIZE);
  struct dc_bytes aad = take_input(call, 2, "additional data");
  struct dc_bytes plaintext = take_input(call, 3, "plaintext");
  uint8_t *out = result_room(call, plaintext.length + DC_TAG_SIZE);
  if (call->failed ||
      !check(call, dc_aead_encrypt(&call->instance->dc, key, nonce, aad, plaintext, out)))
    return NULL;
  return give_bytes(call, out, plaintext.length + DC_TAG_SIZE);
}

static napi_value aead_decrypt(struct call *call) {
  dc_handle key = take_handle(call, 0);
  const uint8_t *nonce = take_exactly(call, 1, "nonce", DC_NONCE_SIZE);
  struct dc_bytes aad = take_input(call, 2, "additional data");
  struct dc_bytes ciphertext = take_input(call, 3, "ciphertext");
  uint8_t *out = result_room(call, ciphertext.length);
  if (call->failed ||
      !check(call, dc_aead_decrypt(&call->instance->dc, key, nonce, aad, ciphertext, out)))
    return NULL;
  return give_bytes(call, out, ciphertext.length - DC_TAG_SIZE);
}

static napi_value aead_encrypt_key(struct call *call) {
  dc_handle key = take_handle(call, 0);
  const uint8_t *nonce = take_exactly(call, 1, "nonce", DC_NONCE_SIZE);
  struct dc_bytes aad = take_input(call, 2, "additional data");
  struct dc_bytes prefix = take_bytes(call, 3, "prefix", DC_PREFIX_MAX);
  dc_handle carried = take_handle(call, 4);
  uint8_t *out = result_room(call, prefix.length + DC_KEY_SIZE + DC_TAG_SIZE);
  if (call->failed || !check(call, dc_aead_encrypt_key(&call->instance->dc, key, nonce, aad,
                                                       prefix, carried, out)))
    return NULL;
  return give_bytes(call, out, prefix.length + DC_KEY_SIZE + DC_TAG_SIZE);
}

static napi_value aead_decrypt_key(struct call *call) {
  dc_handle key = take_handle(call, 0);
  const uint8_t *nonce = take_exactly(call, 1, "nonce", DC_NONCE_SIZE);
  struct dc_bytes aad = take_input(call, 2, "additional data");
  struct dc_bytes ciphertext = take_input(call, 3, "ciphertext");
  uint32_t prefix_length = take_number(call, 4, "prefix length");
  uint32_t usage = take_number(call, 5, "usage");
  uint8_t *prefix = result_room(call, DC_PREFIX_MAX);
  dc_handle decrypted;
  if (call->failed ||
      !check(call, dc_aead_decrypt_key(&call->instance->dc, key, nonce, aad, ciphertext,
                                       prefix_length, usage, prefix, &decrypted)))
    return NULL;
  return give_prefix_and_key(call, prefix, prefix_length, decrypted);
}

static napi_value derive_key(struct call *call) {
  dc_handle key = take_handle(call, 0);
  struct dc_bytes info = take_input(call, 1, "info");
  uint32_t usage = take_number(call, 2, "usage");
  dc_handle derived;
  if (call->failed ||
      !check(call, dc_derive_key(&call->instance->dc, key, info, usage, &derived)))
    return NULL;
  return give_number(call, derived);
}

static napi_value open_device_key(struct call *call) {
  dc_handle key;
  return check(call, dc_open_device_key(&call->instance->dc, &key)) ? give_number(call, key) : NULL;
}

static napi_value next_device_counter(struct call *call) {
  uint32_t counter;
  if (!check(call, dc_next_device_counter(&call->instance->dc, &counter))) return NULL;
  return give_number(call, counter);
}

static napi_value export_base_iv(struct call *call) {
  dc_handle key = take_handle(call, 0);
  uint8_t *out = result_room(call, DC_NONCE_SIZE);
  if (call->failed || !check(call, dc_export_base_iv(&call->instance->dc, key, out))) return NULL;
  return give_bytes(call, out, DC_NONCE_SIZE);
}

static napi_value reserve_sequence(struct call *call) {
  dc_handle key = take_handle(call, 0);
  uint32_t sequence;
  if (call->failed || !check(call, dc_reserve_sequence(&call->instance->dc, key, &sequence)))
    return NULL;
  return give_number(call, sequence);
}

static napi_value aead_encrypt_sequence(struct call *call) {
  dc_handle key = take_handle(call, 0);
  uint32_t sequence = take_number(call, 1, "sequence number");
  struct dc_bytes aad = take_input(call, 2, "additional data");
  struct dc_bytes plaintext = take_input(call, 3, "plaintext");
  uint8_t *out = result_room(call, plaintext.length + DC_TAG_SIZE);
  if (call->failed || !check(call, dc_aead_encrypt_sequence(&call->instance->dc, key, sequence,
                                                            aad, plaintext, out)))
    return NULL;
  return give_bytes(call, out, plaintext.length + DC_TAG_SIZE);
}

const struct function functions[] = {
    {"generateRandom", generate_random},
    {"hashCompute", hash_compute},
    {"generateKey", generate_key},
    {"destroyKey", destroy_key},
    {"exportPublicKey", export_public_key},
    {"signMessage", sign_message},
    {"verifyMessage", verify_message},
    {"keyAgreementWrap", key_agreement_wrap},
    {"keyAgreementUnwrap", key_agreement_unwrap},
    {"aeadEncrypt", aead_encrypt},
    {"aeadDecrypt", aead_decrypt},
    {"aeadEncryptKey", aead_encrypt_key},
    {"aeadDecryptKey", aead_decrypt_key},
    {"deriveKey", derive_key},
    {"openDeviceKey", open_device_key},
    {"nextDeviceCounter", next_device_counter},
    {"exportBaseIv", export_base_iv},
    {"reserveSequence", reserve_sequence},
    {"aeadEncryptSequence", aead_encrypt_sequence},
    {"keepSession", keep_session},
    {"resumeSession", resume_session},
    {"resetReason", reset_reason},
    {"generateKeyPair", generate_key_pair},
    {"openKey", open_key},
    {"hasKey", has_key},
    {"nextCounter", next_counter},
    {"moveCounter", move_counter},
    {"eraseKey", erase_key},
    {"writeCsr", write_csr},
    {"verifyCertificate", verify_certificate},
    {"writeRecord", write_record},
    {"readRecord", read_record},
    {"eraseRecord", erase_record},
    {"eraseAll", erase_all},
    {"ringAppend", ring_append},
    {"ringPeek", ring_peek},
    {"ringDrop", ring_drop},
    {"ringCount", ring_count},
};

const size_t function_count = sizeof functions / sizeof functions[0];

#include "internal.h"

#include <string.h>

#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>

/* A prefix and the key that follows it. */
#define CARRIER_MAX (DC_PREFIX_MAX + DC_KEY_SIZE)

int dc_gcm_seal(const uint8_t key[DC_KEY_SIZE], const uint8_t nonce[DC_NONCE_SIZE],
                struct dc_bytes aad, struct dc_bytes plaintext, uint8_t *out) {
  mbedtls_gcm_context gcm;
  mbedtls_gcm_init(&gcm);
  int result = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 8 * DC_KEY_SIZE);
  if (result == 0)
    result = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, plaintext.length, nonce,
                                       DC_NONCE_SIZE, dc_data(aad), aad.length, dc_data(plaintext),
                                       out, DC_TAG_SIZE, out + plaintext.length);
  mbedtls_gcm_free(&gcm);
  return result == 0 ? 0 : DC_ERR_MEMORY;
}

/* mbedTLS compares the tag in constant time and
 * wipes `out` when it differs. */
int dc_gcm_open(const uint8_t key[DC_KEY_SIZE], const uint8_t nonce[DC_NONCE_SIZE],
                struct dc_bytes aad, struct dc_bytes ciphertext, uint8_t *out) {
  size_t length = ciphertext.length - DC_TAG_SIZE;
  mbedtls_gcm_context gcm;
  mbedtls_gcm_init(&gcm);
  int result = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 8 * DC_KEY_SIZE);
  if (result == 0)
    result = mbedtls_gcm_auth_decrypt(&gcm, length, nonce, DC_NONCE_SIZE, dc_data(aad), aad.length,
                                      ciphertext.data + length, DC_TAG_SIZE, ciphertext.data, out);
  mbedtls_gcm_free(&gcm);
  if (result == 0) return 0;
  mbedtls_platform_zeroize(out, length);
  return result == MBEDTLS_ERR_GCM_AUTH_FAILED ? DC_ERR_DECRYPT : DC_ERR_MEMORY;
}

static int check_inputs(struct dc_bytes first, struct dc_bytes second) {
  int status = dc_check_input(first);
  return status == 0 ? dc_check_input(second) : status;
}

int dc_aead_encrypt(struct dc *dc, dc_handle key, const uint8_t nonce[DC_NONCE_SIZE],
                    struct dc_bytes aad, struct dc_bytes plaintext, uint8_t *out) {
  int status = check_inputs(aad, plaintext);
  if (status != 0) return status;
  const struct dc_slot *slot = dc_slot_find(dc, key, DC_KIND_AES128, DC_USAGE_ENCRYPT);
  if (slot == NULL) return DC_ERR_KEY;
  return dc_gcm_seal(slot->secret, nonce, aad, plaintext, out);
}

int dc_aead_decrypt(struct dc *dc, dc_handle key, const uint8_t nonce[DC_NONCE_SIZE],
                    struct dc_bytes aad, struct dc_bytes ciphertext, uint8_t *out) {
  int status = check_inputs(aad, ciphertext);
  if (status != 0) return status;
  const struct dc_slot *slot = dc_slot_find(dc, key, DC_KIND_AES128, DC_USAGE_DECRYPT);
  if (slot == NULL || (slot->usage & DC_USAGE_WRAP) != 0) return DC_ERR_KEY;
  if (ciphertext.length < DC_TAG_SIZE) return DC_ERR_DECRYPT;
  return dc_gcm_open(slot->secret, nonce, aad, ciphertext, out);
}

int dc_aead_encrypt_key(struct dc *dc, dc_handle key, const uint8_t nonce[DC_NONCE_SIZE],
                        struct dc_bytes aad, struct dc_bytes prefix, dc_handle carried,
                        uint8_t *out) {
  int status = check_inputs(aad, prefix);
  if (status != 0) return status;
  if (prefix.length > DC_PREFIX_MAX) return DC_ERR_ARGUMENT;
  struct dc_slot *carrier = dc_slot_find(dc, key, DC_KIND_AES128, DC_USAGE_WRAP);
  const struct dc_slot *cargo = dc_slot_find(dc, carried, DC_KIND_AES128, DC_USAGE_CARRIED);
  if (carrier == NULL || cargo == NULL || carrier == cargo || carrier->wrap_spent)
    return DC_ERR_KEY;
  /* Before the nonce is used: two ciphertexts under one nonce with prefixes of two
   * lengths would give the carried key by XOR. The flag itself stays, against dc_aead_decrypt. */
  carrier->wrap_spent = 1;
  /* Not in `out`: that is the host's memory, and would hold the key for a moment. */
  uint8_t plaintext[CARRIER_MAX];
  memcpy(plaintext, dc_data(prefix), prefix.length);
  memcpy(plaintext + prefix.length, cargo->secret, DC_KEY_SIZE);
  struct dc_bytes whole = {plaintext, prefix.length + DC_KEY_SIZE};
  status = dc_gcm_seal(carrier->secret, nonce, aad, whole, out);
  mbedtls_platform_zeroize(plaintext, sizeof plaintext);
  return status;
}

/* Splits an authentic plaintext into the host's prefix and a key slot. */
static int keep_key(struct dc *dc, const uint8_t *plaintext, size_t prefix_length, uint32_t usage,
                    uint8_t *prefix, dc_handle *decrypted) {
  struct dc_slot *slot = dc_slot_claim(dc, DC_KIND_AES128, usage);
  if (slot == NULL) return DC_ERR_KEY;
  if (prefix_length > 0) memcpy(prefix, plaintext, prefix_length);
  memcpy(slot->secret, plaintext + prefix_length, DC_KEY_SIZE);
  return dc_slot_settle(dc, slot, 0, decrypted);
}

int dc_aead_decrypt_key(struct dc *dc, dc_handle key, const uint8_t nonce[DC_NONCE_SIZE],
                        struct dc_bytes aad, struct dc_bytes ciphertext, size_t prefix_length,
                        uint32_t usage, uint8_t *prefix, dc_handle *decrypted) {
  *decrypted = 0;
  int status = check_inputs(aad, ciphertext);
  if (status == 0) status = dc_check_usage(usage, 0);
  if (status != 0) return status;
  if (prefix_length > DC_PREFIX_MAX) return DC_ERR_ARGUMENT;
  const struct dc_slot *carrier = dc_slot_find(dc, key, DC_KIND_AES128, DC_USAGE_DECRYPT);
  if (carrier == NULL) return DC_ERR_KEY;
  if (ciphertext.length < DC_TAG_SIZE) return DC_ERR_DECRYPT;
  size_t length = ciphertext.length - DC_TAG_SIZE;
  if (length > CARRIER_MAX) return DC_ERR_FORM; /* no prefix and key are that long, authentic or not */
  uint8_t plaintext[CARRIER_MAX];
  status = dc_gcm_open(carrier->secret, nonce, aad, ciphertext, plaintext);
  if (status == 0 && length != prefix_length + DC_KEY_SIZE) status = DC_ERR_FORM;
  if (status == 0) status = keep_key(dc, plaintext, prefix_length, usage, prefix, decrypted);
  mbedtls_platform_zeroize(plaintext, sizeof plaintext);
  return status;
}

int dc_reserve_sequence(struct dc *dc, dc_handle key, uint32_t *sequence) {
  *sequence = 0;
  struct dc_slot *slot = dc_slot_find(dc, key, DC_KIND_AES128, DC_USAGE_ENCRYPT_SEQUENCE);
  if (slot == NULL) return DC_ERR_KEY;
  slot->sequence_open = 0;
  if (slot->sequence >= DC_SEQUENCE_MAX) return DC_ERR_SEQUENCE;
  slot->sequence++;
  slot->sequence_open = 1;
  *sequence = slot->sequence;
  return 0;
}

int dc_aead_encrypt_sequence(struct dc *dc, dc_handle key, uint32_t sequence, struct dc_bytes aad,
                             struct dc_bytes plaintext, uint8_t *out) {
  int status = check_inputs(aad, plaintext);
  if (status != 0) return status;
  struct dc_slot *slot = dc_slot_find(dc, key, DC_KIND_AES128, DC_USAGE_ENCRYPT_SEQUENCE);
  if (slot == NULL) return DC_ERR_KEY;
  if (!slot->sequence_open || slot->sequence != sequence) return DC_ERR_SEQUENCE;
  slot->sequence_open = 0; /* before the nonce is used at all, so that no failure can repeat it */
  uint8_t nonce[DC_NONCE_SIZE];
  uint8_t number[4];
  dc_put_u32(number, sequence);
  memcpy(nonce, slot->base_iv, DC_NONCE_SIZE);
  for (size_t i = 0; i < sizeof number; i++) nonce[DC_NONCE_SIZE - sizeof number + i] ^= number[i];
  return dc_gcm_seal(slot->secret, nonce, aad, plaintext, out);
}

#include "internal.h"

#include <mbedtls/platform_util.h>

/* ECDH-ES+A128KW: shared secret, HKDF, AES key wrap (RFC 9053 section 6.4.1). */

/* The key encryption key of a scalar and a peer's point (65 or 33 bytes). */
static int agree(struct dc *dc, const uint8_t secret[DC_SCALAR_SIZE], struct dc_bytes point,
                 struct dc_bytes kdf_context, uint8_t kek[DC_KEY_SIZE]) {
  uint8_t shared[DC_SCALAR_SIZE];
  int status = dc_ec_agree(dc, secret, point, shared);
  if (status == 0) status = dc_hkdf(shared, sizeof shared, kdf_context, kek);
  mbedtls_platform_zeroize(shared, sizeof shared);
  return status;
}

int dc_key_agreement_wrap(struct dc *dc, const uint8_t public_key[DC_POINT_SIZE],
                          struct dc_bytes kdf_context, dc_handle carried,
                          uint8_t out[DC_AGREED_SIZE]) {
  int status = dc_check_input(kdf_context);
  if (status != 0) return status;
  const struct dc_slot *cargo = dc_slot_find(dc, carried, DC_KIND_AES128, DC_USAGE_CARRIED);
  if (cargo == NULL) return DC_ERR_KEY;
  struct dc_bytes point = {public_key, DC_POINT_SIZE};
  uint8_t ephemeral[DC_SCALAR_SIZE];
  uint8_t kek[DC_KEY_SIZE];
  status = dc_ec_generate(dc, ephemeral, out);
  if (status == 0) status = agree(dc, ephemeral, point, kdf_context, kek);
  if (status == 0) status = dc_key_wrap(kek, cargo->secret, out + DC_POINT_SIZE);
  mbedtls_platform_zeroize(ephemeral, sizeof ephemeral);
  mbedtls_platform_zeroize(kek, sizeof kek);
  return status;
}

int dc_key_agreement_unwrap(struct dc *dc, dc_handle key, struct dc_bytes ephemeral,
                            struct dc_bytes kdf_context, const uint8_t wrapped[DC_WRAPPED_SIZE],
                            uint32_t usage, dc_handle *unwrapped) {
  *unwrapped = 0;
  int status = dc_check_input(kdf_context);
  if (status == 0) status = dc_check_usage(usage, 0);
  if (status != 0) return status;
  const struct dc_slot *own = dc_slot_find(dc, key, DC_KIND_P256, DC_USAGE_DERIVE);
  if (own == NULL) return DC_ERR_KEY;
  struct dc_slot *slot = dc_slot_claim(dc, DC_KIND_AES128, usage);
  if (slot == NULL) return DC_ERR_KEY;
  uint8_t kek[DC_KEY_SIZE];
  status = agree(dc, own->secret, ephemeral, kdf_context, kek);
  if (status == 0) status = dc_key_unwrap(kek, wrapped, slot->secret);
  mbedtls_platform_zeroize(kek, sizeof kek);
  return dc_slot_settle(dc, slot, status, unwrapped);
}

#include "internal.h"

#include <string.h>

#include <mbedtls/ecdh.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

/* The curve's room in struct dc is large enough, or this does not compile. */
typedef char curve_fits[sizeof(mbedtls_ecp_group) <= DC_CURVE_WORDS * sizeof(uint64_t) ? 1 : -1];

/*
 * mbedTLS 2.28 leaves scalars on the stack: recoded as digits where it multiplies a point
 * by them, plain where it seeds its HMAC_DRBG. So dc_wipe_stack follows each such call.
 */

/* P-256, loaded once: mbedTLS keeps multiples of the base point in it, which makes
 * every later operation about twice as fast. NULL without memory. */
static mbedtls_ecp_group *curve(struct dc *dc) {
  mbedtls_ecp_group *group = (mbedtls_ecp_group *)(void *)dc->curve;
  dc->random_failed = 0;
  if (dc->curve_ready) return group;
  mbedtls_ecp_group_init(group);
  if (mbedtls_ecp_group_load(group, MBEDTLS_ECP_DP_SECP256R1) != 0) {
    mbedtls_ecp_group_free(group);
    return NULL;
  }
  dc->curve_ready = 1;
  return group;
}

void dc_ec_free(struct dc *dc) {
  if (!dc->curve_ready) return;
  mbedtls_ecp_group_free((mbedtls_ecp_group *)(void *)dc->curve);
  memset(dc->curve, 0, sizeof dc->curve);
  dc->curve_ready = 0;
}

static int write_point(mbedtls_ecp_group *group, const mbedtls_ecp_point *point,
                       uint8_t out[DC_POINT_SIZE]) {
  size_t length = 0;
  int result = mbedtls_ecp_point_write_binary(group, point, MBEDTLS_ECP_PF_UNCOMPRESSED, &length,
                                              out, DC_POINT_SIZE);
  return result == 0 && length != DC_POINT_SIZE ? MBEDTLS_ERR_ECP_BAD_INPUT_DATA : result;
}

/* y = sqrt(x^3 - 3x + b) mod p; p = 3 mod 4, so the root is the (p + 1) / 4th power
 * (SEC1 section 2.3.4). Some number comes out for any x: whether x is below p and the
 * root exists shows when the point is checked to be on the curve. */
static int solve_y(mbedtls_ecp_group *group, const mbedtls_mpi *x, int odd, mbedtls_mpi *y) {
  mbedtls_mpi square, exponent;
  mbedtls_mpi_init(&square);
  mbedtls_mpi_init(&exponent);
  int result = mbedtls_mpi_mul_mpi(&square, x, x);
  if (result == 0) result = mbedtls_mpi_sub_int(&square, &square, 3);
  if (result == 0) result = mbedtls_mpi_mul_mpi(&square, &square, x);
  if (result == 0) result = mbedtls_mpi_add_mpi(&square, &square, &group->B);
  if (result == 0) result = mbedtls_mpi_mod_mpi(&square, &square, &group->P);
  if (result == 0) result = mbedtls_mpi_add_int(&exponent, &group->P, 1);
  if (result == 0) result = mbedtls_mpi_shift_r(&exponent, 2);
  /* room for the result first: 2.28 does not say when it cannot copy it at its end */
  if (result == 0) result = mbedtls_mpi_copy(y, &group->P);
  if (result == 0) result = mbedtls_mpi_exp_mod(y, &square, &exponent, &group->P, NULL);
  if (result == 0 && mbedtls_mpi_get_bit(y, 0) != odd)
    result = mbedtls_mpi_sub_mpi(y, &group->P, y);
  mbedtls_mpi_free(&square);
  mbedtls_mpi_free(&exponent);
  return result;
}

int dc_ec_decompress(struct dc *dc, const uint8_t point[DC_COMPRESSED_POINT_SIZE],
                     uint8_t out[DC_POINT_SIZE]) {
  mbedtls_ecp_group *group = curve(dc);
  if (group == NULL) return DC_ERR_MEMORY;
  if (point[0] != 0x02 && point[0] != 0x03) return DC_ERR_ARGUMENT;
  mbedtls_mpi x, y;
  mbedtls_mpi_init(&x);
  mbedtls_mpi_init(&y);
  int result = mbedtls_mpi_read_binary(&x, point + 1, DC_SCALAR_SIZE);
  if (result == 0) result = solve_y(group, &x, point[0] & 1, &y);
  out[0] = 0x04;
  memcpy(out + 1, point + 1, DC_SCALAR_SIZE);
  if (result == 0) result = mbedtls_mpi_write_binary(&y, out + 1 + DC_SCALAR_SIZE, DC_SCALAR_SIZE);
  mbedtls_mpi_free(&x);
  mbedtls_mpi_free(&y);
  return result == 0 ? 0 : DC_ERR_MEMORY;
}

/* A point of the curve other than infinity, from 65 or 33 bytes. */
static int read_point(struct dc *dc, mbedtls_ecp_group *group, struct dc_bytes bytes,
                      mbedtls_ecp_point *point) {
  uint8_t plain[DC_POINT_SIZE];
  if (bytes.length == DC_COMPRESSED_POINT_SIZE) {
    int status = dc_ec_decompress(dc, bytes.data, plain);
    if (status != 0) return status;
    bytes.data = plain;
    bytes.length = DC_POINT_SIZE;
  }
  if (bytes.length != DC_POINT_SIZE || bytes.data[0] != 0x04) return DC_ERR_ARGUMENT;
  int result = mbedtls_ecp_point_read_binary(group, point, bytes.data, bytes.length);
  if (result == 0) result = mbedtls_ecp_check_pubkey(group, point);
  if (result == 0) return 0;
  return result == MBEDTLS_ERR_MPI_ALLOC_FAILED ? DC_ERR_MEMORY : DC_ERR_ARGUMENT;
}

int dc_ec_check_point(struct dc *dc, const uint8_t point[DC_POINT_SIZE]) {
  mbedtls_ecp_group *group = curve(dc);
  if (group == NULL) return DC_ERR_MEMORY;
  struct dc_bytes bytes = {point, DC_POINT_SIZE};
  mbedtls_ecp_point q;
  mbedtls_ecp_point_init(&q);
  int status = read_point(dc, group, bytes, &q);
  mbedtls_ecp_point_free(&q);
  return status;
}

int dc_ec_generate(struct dc *dc, uint8_t secret[DC_SCALAR_SIZE],
                   uint8_t public_key[DC_POINT_SIZE]) {
  int status = dc_random_ready(dc);
  if (status != 0) return status;
  mbedtls_ecp_group *group = curve(dc);
  if (group == NULL) return DC_ERR_MEMORY;
  mbedtls_mpi d;
  mbedtls_ecp_point q;
  mbedtls_mpi_init(&d); /* mbedtls_mpi_free wipes */
  mbedtls_ecp_point_init(&q);
  int result = mbedtls_ecp_gen_keypair(group, &d, &q, dc_mbedtls_random, dc);
  dc_wipe_stack();
  if (result == 0) result = mbedtls_mpi_write_binary(&d, secret, DC_SCALAR_SIZE);
  if (result == 0) result = write_point(group, &q, public_key);
  mbedtls_mpi_free(&d);
  mbedtls_ecp_point_free(&q);
  if (result != 0) mbedtls_platform_zeroize(secret, DC_SCALAR_SIZE);
  return dc_mbedtls_status(dc, result);
}

int dc_ec_check_pair(struct dc *dc, const uint8_t secret[DC_SCALAR_SIZE],
                     const uint8_t public_key[DC_POINT_SIZE]) {
  mbedtls_ecp_group *group = curve(dc);
  if (group == NULL) return DC_ERR_MEMORY;
  uint8_t own[DC_POINT_SIZE] = {0};
  mbedtls_mpi d;
  mbedtls_ecp_point q;
  mbedtls_mpi_init(&d);
  mbedtls_ecp_point_init(&q);
  int in_range = 0;
  int result = mbedtls_mpi_read_binary(&d, secret, DC_SCALAR_SIZE);
  if (result == 0) in_range = mbedtls_ecp_check_privkey(group, &d) == 0;
  if (result == 0 && in_range)
    result = mbedtls_ecp_mul(group, &q, &d, &group->G, dc_mbedtls_random, dc);
  dc_wipe_stack();
  if (result == 0 && in_range) result = write_point(group, &q, own);
  mbedtls_mpi_free(&d);
  mbedtls_ecp_point_free(&q);
  if (result != 0) return dc_mbedtls_status(dc, result);
  return in_range && dc_equal(own, public_key, DC_POINT_SIZE) ? 0 : DC_ERR_KEY;
}

int dc_ec_agree(struct dc *dc, const uint8_t secret[DC_SCALAR_SIZE], struct dc_bytes point,
                uint8_t shared[DC_SCALAR_SIZE]) {
  mbedtls_ecp_group *group = curve(dc);
  if (group == NULL) return DC_ERR_MEMORY;
  mbedtls_mpi d, z;
  mbedtls_ecp_point q;
  mbedtls_mpi_init(&d);
  mbedtls_mpi_init(&z);
  mbedtls_ecp_point_init(&q);
  int status = read_point(dc, group, point, &q);
  if (status == 0) {
    int result = mbedtls_mpi_read_binary(&d, secret, DC_SCALAR_SIZE);
    if (result == 0)
      result = mbedtls_ecdh_compute_shared(group, &z, &q, &d, dc_mbedtls_random, dc);
    dc_wipe_stack();
    if (result == 0) result = mbedtls_mpi_write_binary(&z, shared, DC_SCALAR_SIZE);
    status = dc_mbedtls_status(dc, result);
  }
  mbedtls_mpi_free(&d);
  mbedtls_mpi_free(&z);
  mbedtls_ecp_point_free(&q);
  if (status != 0) mbedtls_platform_zeroize(shared, DC_SCALAR_SIZE);
  return status;
}

int dc_sign_message(struct dc *dc, dc_handle key, struct dc_bytes message,
                    uint8_t signature[DC_SIGNATURE_SIZE]) {
  uint8_t hash[DC_HASH_SIZE];
  int status = dc_hash_compute(message, hash);
  if (status != 0) return status;
  const struct dc_slot *slot = dc_slot_find(dc, key, DC_KIND_P256, DC_USAGE_SIGN);
  if (slot == NULL) return DC_ERR_KEY;
  mbedtls_ecp_group *group = curve(dc);
  if (group == NULL) return DC_ERR_MEMORY;
  mbedtls_mpi d, r, s;
  mbedtls_mpi_init(&d);
  mbedtls_mpi_init(&r);
  mbedtls_mpi_init(&s);
  int result = mbedtls_mpi_read_binary(&d, slot->secret, DC_SCALAR_SIZE);
  if (result == 0)
    result = mbedtls_ecdsa_sign_det_ext(group, &r, &s, &d, hash, sizeof hash, MBEDTLS_MD_SHA256,
                                        dc_mbedtls_random, dc);
  dc_wipe_stack();
  if (result == 0) result = mbedtls_mpi_write_binary(&r, signature, DC_SCALAR_SIZE);
  if (result == 0)
    result = mbedtls_mpi_write_binary(&s, signature + DC_SCALAR_SIZE, DC_SCALAR_SIZE);
  mbedtls_mpi_free(&d);
  mbedtls_mpi_free(&r);
  mbedtls_mpi_free(&s);
  return dc_mbedtls_status(dc, result);
}

/* What mbedtls_ecdsa_verify says, as a code: any failure but want of memory (MD: for its
 * blinding) is a refusal. */
static int verify_status(int result) {
  if (result == 0) return 0;
  return result == MBEDTLS_ERR_MPI_ALLOC_FAILED || result == MBEDTLS_ERR_ECP_ALLOC_FAILED ||
                 result == MBEDTLS_ERR_MD_ALLOC_FAILED
             ? DC_ERR_MEMORY
             : DC_ERR_SIGNATURE;
}

int dc_verify_message(struct dc *dc, const uint8_t public_key[DC_POINT_SIZE],
                      struct dc_bytes message, const uint8_t signature[DC_SIGNATURE_SIZE]) {
  uint8_t hash[DC_HASH_SIZE];
  int status = dc_hash_compute(message, hash);
  if (status != 0) return status;
  mbedtls_ecp_group *group = curve(dc);
  if (group == NULL) return DC_ERR_MEMORY;
  struct dc_bytes point = {public_key, DC_POINT_SIZE};
  mbedtls_mpi r, s;
  mbedtls_ecp_point q;
  mbedtls_mpi_init(&r);
  mbedtls_mpi_init(&s);
  mbedtls_ecp_point_init(&q);
  status = read_point(dc, group, point, &q);
  if (status == 0) {
    int result = mbedtls_mpi_read_binary(&r, signature, DC_SCALAR_SIZE);
    if (result == 0) result = mbedtls_mpi_read_binary(&s, signature + DC_SCALAR_SIZE, DC_SCALAR_SIZE);
    if (result == 0) result = mbedtls_ecdsa_verify(group, hash, sizeof hash, &q, &r, &s);
    status = verify_status(result);
  }
  mbedtls_mpi_free(&r);
  mbedtls_mpi_free(&s);
  mbedtls_ecp_point_free(&q);
  return status;
}

#ifndef DC_INTERNAL_H
#define DC_INTERNAL_H

/* What the files of core/ share. Hosts include dc.h only. */

#include "dc.h"

#define DC_KIND_FREE 0u
#define DC_KIND_AES128 1u
#define DC_KIND_P256 2u

/* slots.c: who may use what, and how long it lives. */

/** The slot of a live key of the kind that has all flags of `usage`; NULL otherwise. */
struct dc_slot *dc_slot_find(struct dc *dc, dc_handle key, uint8_t kind, uint32_t usage);
/** An empty slot, marked as taken; NULL when there is none. */
struct dc_slot *dc_slot_claim(struct dc *dc, uint8_t kind, uint32_t usage);
/** Ends a claim: `status` 0 gives out the handle, anything else wipes the slot. Returns `status`. */
int dc_slot_settle(struct dc *dc, struct dc_slot *slot, int status, dc_handle *key);
/** Wipes the slot; its handle never names a key again. */
void dc_slot_wipe(struct dc_slot *slot);
/** 0, or DC_ERR_ARGUMENT for flags that no AES key may have; `made_here`: not agreed or derived. */
int dc_check_usage(uint32_t usage, int made_here);

/* util.c */

/** Random bytes of any length from the port; remembers a failure in `dc->random_failed`. */
int dc_random(struct dc *dc, uint8_t *out, size_t length);
/** Before a key is made: 0, or DC_ERR_RANDOM while the port has no true source. */
int dc_random_ready(struct dc *dc);
/** dc_random in mbedTLS's shape; `context` is the struct dc. */
int dc_mbedtls_random(void *context, unsigned char *out, size_t length);
/** The DC_ERR_* for a failure inside mbedTLS: its random callback's, or want of memory. */
int dc_mbedtls_status(const struct dc *dc, int result);
/** 0 when `input` is within DC_INPUT_MAX and not NULL with a length. */
int dc_check_input(struct dc_bytes input);
/** 0 for an id of 1 to DC_ID_MAX characters a-z and 0-9. */
int dc_check_id(struct dc_bytes id);
/** The store's id of a slot: "<prefix><id>-a" or "-b". The prefix has at most 2 characters. */
void dc_store_id(char out[DC_STORE_ID_MAX + 1], const char *prefix, struct dc_bytes id,
                 unsigned slot);
/** A pointer that mbedTLS may look at, also for empty input. */
const uint8_t *dc_data(struct dc_bytes input);
/**
 * Wipes the stack below the caller, where mbedTLS may have left a secret. Called
 * from the frame that called mbedTLS, so that it covers the same addresses.
 */
void dc_wipe_stack(void);
/** 1 when both hold the same bytes; time tells the length only. */
int dc_equal(const uint8_t *a, const uint8_t *b, size_t length);
void dc_put_u32(uint8_t *out, uint32_t value);
uint32_t dc_get_u32(const uint8_t *data);
void dc_put_u64(uint8_t *out, uint64_t value);
uint64_t dc_get_u64(const uint8_t *data);
/** CRC-32 (ISO-HDLC, the one of Ethernet and zip). */
uint32_t dc_crc32(const uint8_t *data, size_t length);
/** The same going on from the CRC of what came before; 0 at the start. */
uint32_t dc_crc32_more(uint32_t crc, const uint8_t *data, size_t length);

/* aead.c */

/** AES-128-GCM: ciphertext and tag. */
int dc_gcm_seal(const uint8_t key[DC_KEY_SIZE], const uint8_t nonce[DC_NONCE_SIZE],
                struct dc_bytes aad, struct dc_bytes plaintext, uint8_t *out);
/** The way back, of at least a tag; DC_ERR_DECRYPT and zeros when the tag does not verify. */
int dc_gcm_open(const uint8_t key[DC_KEY_SIZE], const uint8_t nonce[DC_NONCE_SIZE],
                struct dc_bytes aad, struct dc_bytes ciphertext, uint8_t *out);

/* hkdf.c */

/** HKDF-SHA-256, empty salt, 16 bytes. */
int dc_hkdf(const uint8_t *secret, size_t length, struct dc_bytes info, uint8_t out[DC_KEY_SIZE]);

/* keywrap.c */

/** RFC 3394 section 2.2.1, 128-bit key under 128-bit key, default IV. */
int dc_key_wrap(const uint8_t kek[DC_KEY_SIZE], const uint8_t key[DC_KEY_SIZE],
                uint8_t wrapped[DC_WRAPPED_SIZE]);
/** RFC 3394 section 2.2.2; DC_ERR_DECRYPT and a zero key when the integrity check fails. */
int dc_key_unwrap(const uint8_t kek[DC_KEY_SIZE], const uint8_t wrapped[DC_WRAPPED_SIZE],
                  uint8_t key[DC_KEY_SIZE]);

/* ec.c */

/** A fresh pair. */
int dc_ec_generate(struct dc *dc, uint8_t secret[DC_SCALAR_SIZE],
                   uint8_t public_key[DC_POINT_SIZE]);
/** 0 for a point of P-256 (65 bytes), DC_ERR_ARGUMENT for anything else. */
int dc_ec_check_point(struct dc *dc, const uint8_t point[DC_POINT_SIZE]);
/** 0 when the secret is in range and the public point is its own; DC_ERR_KEY otherwise. */
int dc_ec_check_pair(struct dc *dc, const uint8_t secret[DC_SCALAR_SIZE],
                     const uint8_t public_key[DC_POINT_SIZE]);
/** The x-coordinate of the shared point. DC_ERR_ARGUMENT when `point` (65 or 33 bytes) is none of P-256. */
int dc_ec_agree(struct dc *dc, const uint8_t secret[DC_SCALAR_SIZE], struct dc_bytes point,
                uint8_t shared[DC_SCALAR_SIZE]);
/**
 * The 65 bytes of a point from 33 (SEC1 section 2.3.4). Not checked to be on the
 * curve; DC_ERR_ARGUMENT only for another first byte than 0x02 and 0x03.
 */
int dc_ec_decompress(struct dc *dc, const uint8_t point[DC_COMPRESSED_POINT_SIZE],
                     uint8_t out[DC_POINT_SIZE]);
/** Frees the curve. */
void dc_ec_free(struct dc *dc);

#endif

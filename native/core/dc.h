#ifndef DC_H
#define DC_H

/*
 * The device crypto module: keys, ES256, ECDH-ES+A128KW, AES-128-GCM, HKDF, the
 * device's own key and its counter. C99 and mbedTLS (2.28 or 3.6), nothing else:
 * randomness and storage come through `struct dc_port`.
 *
 * All state lies in a `struct dc` of the caller's; there are no globals, so one
 * process may hold several modules. A module is not thread-safe: one caller at a time.
 *
 * No function returns a secret. Key material lives in the 16 slots of `struct dc`
 * and nowhere else once a call has returned; callers hold integer handles.
 *
 * Every function returns 0 or one of the negative DC_ERR_* codes. After a failure
 * the outputs hold nothing of use, and no key was made. Points are uncompressed
 * SEC1 (65 bytes, 0x04 first) unless said otherwise; the hash is SHA-256 throughout.
 */

#include <stddef.h>
#include <stdint.h>

/** A size, a point or a flag outside what the function takes. */
#define DC_ERR_ARGUMENT (-1)
/** The handle names no key, its usage forbids this, or all slots are taken. */
#define DC_ERR_KEY (-2)
/** The random source failed. */
#define DC_ERR_RANDOM (-3)
/** The store failed, or the device key record is damaged beyond repair. */
#define DC_ERR_STORE (-4)
/** A sequence number or the device counter is at its limit, used or not reserved. */
#define DC_ERR_SEQUENCE (-5)
/** A tag or a key wrap does not verify. */
#define DC_ERR_DECRYPT (-6)
/** What was decrypted is authentic but not a prefix and a key. */
#define DC_ERR_FORM (-7)
/** The signature is not the public key's over the message. */
#define DC_ERR_SIGNATURE (-8)
/** mbedTLS could not get memory. */
#define DC_ERR_MEMORY (-9)

/** What a key may be used for; the flags add up. Same values as protocol/cose/crypto.ts. */
#define DC_USAGE_SIGN 1u
#define DC_USAGE_DERIVE 2u
#define DC_USAGE_ENCRYPT 4u
#define DC_USAGE_DECRYPT 8u
#define DC_USAGE_ENCRYPT_SEQUENCE 16u
#define DC_USAGE_WRAP 32u
#define DC_USAGE_CARRIED 64u

#define DC_KEY_SIZE 16u              /* AES-128 */
#define DC_SCALAR_SIZE 32u           /* P-256 private key */
#define DC_POINT_SIZE 65u            /* P-256 point, uncompressed */
#define DC_COMPRESSED_POINT_SIZE 33u /* P-256 point, 0x02 or 0x03 and x */
#define DC_SIGNATURE_SIZE 64u        /* r, then s (RFC 9053 section 2.1) */
#define DC_HASH_SIZE 32u
#define DC_NONCE_SIZE 12u   /* RFC 9053 section 4.1 */
#define DC_TAG_SIZE 16u     /* RFC 9053 section 4.1 */
#define DC_WRAPPED_SIZE 24u /* RFC 3394: 8 bytes more than the key */
#define DC_AGREED_SIZE (DC_POINT_SIZE + DC_WRAPPED_SIZE)

/** Keys at a time: 4 pending sessions with their downlink keys, the device key, and room to work. */
#define DC_SLOTS 16u
/** The longest input: a message of 4 KiB and what COSE puts around it before it is signed. */
#define DC_INPUT_MAX (4096u + 64u)
/** The longest prefix before a carried key: a COSE_Key without its key takes about 32 bytes. */
#define DC_PREFIX_MAX 128u
/** The last sequence number of a session key; the device rekeys there (2^20 readings). */
#define DC_SEQUENCE_MAX 1048576u
/** The last device counter: a session key id has at most 4 bytes. */
#define DC_COUNTER_MAX 4294967295u
/** Added to the device counter when a record slot is found damaged: more than it can have lost. */
#define DC_COUNTER_JUMP 1024u
/** The longest id the store is given: what ESP-IDF's NVS takes. */
#define DC_STORE_ID_MAX 15u

/** What a port's store_read returns when there is nothing under the id. */
#define DC_STORE_ABSENT 1

/**
 * What the module asks of its host. Each function returns 0, or a negative number
 * when it failed; `context` is handed through.
 */
struct dc_port {
  void *context;
  /** Fills `out` with bytes from a cryptographic source, all or none. */
  int (*random)(void *context, uint8_t *out, size_t length);
  /**
   * Reads what is stored under `id`: at most `capacity` bytes into `out`, the
   * stored size (which may be larger) into `length`. DC_STORE_ABSENT when there is
   * nothing; a negative number when it cannot be told.
   */
  int (*store_read)(void *context, const char *id, uint8_t *out, size_t capacity, size_t *length);
  /** Replaces what is stored under `id`, atomically: after a power cut the old or the new is there. */
  int (*store_write)(void *context, const char *id, const uint8_t *data, size_t length);
  /** Removes what is stored under `id`; nothing there is no error. */
  int (*store_erase)(void *context, const char *id);
};

/** Input bytes; `data` may be NULL when `length` is 0. */
struct dc_bytes {
  const uint8_t *data;
  size_t length;
};

/** Names a key: slot number, and the slot's generation << 8. Never 0, below 2^31. */
typedef uint32_t dc_handle;

/** One key. Private to core/; only tests look inside. */
struct dc_slot {
  uint32_t generation; /* counts the keys the slot has held; outlives each of them */
  uint32_t sequence;   /* last number reserved; 0: none */
  uint8_t kind;        /* 0: free */
  uint8_t usage;
  uint8_t sequence_open; /* 1: `sequence` is reserved and has not encrypted yet */
  uint8_t base_iv[DC_NONCE_SIZE];
  uint8_t public_key[DC_POINT_SIZE];
  uint8_t secret[DC_SCALAR_SIZE];
};

/** Room for mbedTLS's curve (mbedtls_ecp_group), so that hosts need no mbedTLS header. */
#define DC_CURVE_WORDS 48u

/** The module. The caller owns the memory and never reads or writes it. */
struct dc {
  struct dc_port port;
  struct dc_slot slots[DC_SLOTS];
  uint64_t curve[DC_CURVE_WORDS];
  uint64_t record_sequence; /* of the newest device key record */
  dc_handle device_key;     /* 0: not open */
  uint32_t device_counter;
  uint8_t record_slot; /* which of the two record slots holds the newest */
  uint8_t curve_ready;
  uint8_t random_failed; /* the random source failed during this call */
};

/** Makes an empty module over `port` (copied; its context must outlive the module). Cannot fail. */
void dc_init(struct dc *dc, const struct dc_port *port);

/**
 * Wipes every key and gives memory back. The module stays usable, as after
 * dc_init; handles from before stay invalid.
 */
void dc_free(struct dc *dc);

/** `length` random bytes (at most DC_INPUT_MAX) from the port. */
int dc_generate_random(struct dc *dc, uint8_t *out, size_t length);

/** SHA-256 (FIPS 180-4). */
int dc_hash_compute(struct dc_bytes input, uint8_t out[DC_HASH_SIZE]);

/**
 * A fresh, volatile AES-128 key. With ENCRYPT_SEQUENCE it gets a random Base IV,
 * and may then have neither ENCRYPT nor WRAP: those take nonces of the caller's.
 * DC_ERR_ARGUMENT for no or unknown flags, and for SIGN: only the device key signs.
 */
int dc_generate_key(struct dc *dc, uint32_t usage, dc_handle *key);

/** Wipes a volatile key. DC_ERR_KEY for the device key: it is not volatile. */
int dc_destroy_key(struct dc *dc, dc_handle key);

/** The public point of a P-256 key. */
int dc_export_public_key(struct dc *dc, dc_handle key, uint8_t out[DC_POINT_SIZE]);

/**
 * ES256 (RFC 9053 section 2.1) under a SIGN key; the ephemeral scalar is derived
 * from key and message (RFC 6979), the calculation is blinded with random numbers.
 */
int dc_sign_message(struct dc *dc, dc_handle key, struct dc_bytes message,
                    uint8_t signature[DC_SIGNATURE_SIZE]);

/** 0 when the signature verifies, DC_ERR_SIGNATURE when not, DC_ERR_ARGUMENT for no point of P-256. */
int dc_verify_message(struct dc *dc, const uint8_t public_key[DC_POINT_SIZE],
                      struct dc_bytes message, const uint8_t signature[DC_SIGNATURE_SIZE]);

/**
 * ECDH-ES+A128KW (RFC 9053 section 6.4.1) of a CARRIED key with a fresh ephemeral
 * key, wiped before the return: HKDF-SHA-256 of the shared secret with empty salt
 * and `kdf_context` as info, RFC 3394. The ephemeral point, then the wrapped key.
 */
int dc_key_agreement_wrap(struct dc *dc, const uint8_t public_key[DC_POINT_SIZE],
                          struct dc_bytes kdf_context, dc_handle carried,
                          uint8_t out[DC_AGREED_SIZE]);

/**
 * The way back, under the DERIVE key of a P-256 pair. `ephemeral` is 65 bytes, or
 * 33 with the sign of y in the first (SEC1 section 2.3.4); DC_ERR_ARGUMENT when it
 * is no point of P-256. `usage` without ENCRYPT_SEQUENCE: numbers are counted only
 * for keys made here. DC_ERR_DECRYPT when the wrap does not verify.
 */
int dc_key_agreement_unwrap(struct dc *dc, dc_handle key, struct dc_bytes ephemeral,
                            struct dc_bytes kdf_context, const uint8_t wrapped[DC_WRAPPED_SIZE],
                            uint32_t usage, dc_handle *unwrapped);

/**
 * AES-128-GCM (NIST SP 800-38D) under an ENCRYPT key. `out` takes the plaintext's
 * length + DC_TAG_SIZE and must not overlap the input.
 */
int dc_aead_encrypt(struct dc *dc, dc_handle key, const uint8_t nonce[DC_NONCE_SIZE],
                    struct dc_bytes aad, struct dc_bytes plaintext, uint8_t *out);

/**
 * The way back, under a DECRYPT key. `out` takes the ciphertext's length -
 * DC_TAG_SIZE, and is zero when the tag does not verify (DC_ERR_DECRYPT, as for a
 * ciphertext shorter than a tag). DC_ERR_KEY for a WRAP key: the plaintext might
 * be a carried key; dc_aead_decrypt_key opens those.
 */
int dc_aead_decrypt(struct dc *dc, dc_handle key, const uint8_t nonce[DC_NONCE_SIZE],
                    struct dc_bytes aad, struct dc_bytes ciphertext, uint8_t *out);

/**
 * AES-128-GCM under a WRAP key over `prefix` (at most DC_PREFIX_MAX bytes) and the
 * 16 bytes of the CARRIED key, put together in wiped memory. DC_ERR_KEY when both
 * are the same key. `out` takes prefix + DC_KEY_SIZE + DC_TAG_SIZE bytes.
 */
int dc_aead_encrypt_key(struct dc *dc, dc_handle key, const uint8_t nonce[DC_NONCE_SIZE],
                        struct dc_bytes aad, struct dc_bytes prefix, dc_handle carried,
                        uint8_t *out);

/**
 * The way back, under a DECRYPT key: `prefix` takes `prefix_length` bytes, the last
 * 16 bytes become a key with `usage` (without ENCRYPT_SEQUENCE, as for
 * dc_key_agreement_unwrap). DC_ERR_FORM when the plaintext has another length.
 */
int dc_aead_decrypt_key(struct dc *dc, dc_handle key, const uint8_t nonce[DC_NONCE_SIZE],
                        struct dc_bytes aad, struct dc_bytes ciphertext, size_t prefix_length,
                        uint32_t usage, uint8_t *prefix, dc_handle *decrypted);

/**
 * HKDF-SHA-256 (RFC 5869) of an AES key with DERIVE, empty salt, 16 bytes out, into
 * a key with `usage` (without ENCRYPT_SEQUENCE, as for dc_key_agreement_unwrap).
 */
int dc_derive_key(struct dc *dc, dc_handle key, struct dc_bytes info, uint32_t usage,
                  dc_handle *derived);

/**
 * The device's own P-256 key (SIGN and DERIVE): made and stored when the store has
 * never held one, else read. While it is open, the same handle again.
 *
 * One record in two store slots ("device-a", "device-b"), written in turn. The
 * valid one with the higher record sequence counts. When the other is not its
 * direct predecessor (damaged, missing, put back from a copy), the device counter
 * may have gone further than is known: it jumps by DC_COUNTER_JUMP, once, written
 * before the return. DC_ERR_STORE when something is stored and nothing valid;
 * never a new key then.
 */
int dc_open_device_key(struct dc *dc, dc_handle *key);

/**
 * The next value of the device counter, from 1; written and read back before it is
 * returned, so that none is handed out twice. DC_ERR_KEY before dc_open_device_key,
 * DC_ERR_SEQUENCE past DC_COUNTER_MAX. After DC_ERR_STORE it may be called again.
 */
int dc_next_device_counter(struct dc *dc, uint32_t *counter);

/** The Base IV of an ENCRYPT_SEQUENCE key (RFC 9052 section 3.1). Not a secret. */
int dc_export_base_iv(struct dc *dc, dc_handle key, uint8_t out[DC_NONCE_SIZE]);

/**
 * The next sequence number of an ENCRYPT_SEQUENCE key, from 1; a number reserved
 * before and not yet used is given up. DC_ERR_SEQUENCE past DC_SEQUENCE_MAX.
 */
int dc_reserve_sequence(struct dc *dc, dc_handle key, uint32_t *sequence);

/**
 * AES-128-GCM under the number just reserved, which is spent whatever happens then;
 * DC_ERR_SEQUENCE for any other number. Nonce: Base IV XOR the number, big-endian,
 * left-padded (RFC 9052 section 3.1). `out` as for dc_aead_encrypt.
 */
int dc_aead_encrypt_sequence(struct dc *dc, dc_handle key, uint32_t sequence, struct dc_bytes aad,
                             struct dc_bytes plaintext, uint8_t *out);

#endif

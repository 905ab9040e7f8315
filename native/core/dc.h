#ifndef DC_H
#define DC_H

/*
 * The device crypto module: keys, ES256, ECDH-ES+A128KW, AES-128-GCM, HKDF, the
 * device's own keys and their counters, certificates, records and a queue that
 * survive a power cut. C99 and mbedTLS (2.28 or 3.6), nothing else: randomness,
 * storage and time come through `struct dc_port`.
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

#include "dc_error.h"
#include "dc_port.h"

/** What a key may be used for; the flags add up. Same values as protocol/cose/crypto.ts. */
#define DC_USAGE_SIGN 1u
#define DC_USAGE_DERIVE 2u
#define DC_USAGE_ENCRYPT 4u
#define DC_USAGE_DECRYPT 8u
#define DC_USAGE_ENCRYPT_SEQUENCE 16u
#define DC_USAGE_WRAP 32u
/**
 * The key may leave the module wrapped, for a public key of the caller's choice. So this
 * does not hide it from the program that holds the handle: the program can wrap it for a
 * key of its own (even the device key), unwrap it and encrypt under nonces of its choice,
 * or for a key outside and learn it. What must never leave has no CARRIED flag.
 */
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
/** The longest id of a stored key or record; the store's ids put up to 4 characters around it. */
#define DC_ID_MAX 10u
/** Stored keys open at a time: a key roll needs two. */
#define DC_STORED_KEYS 4u
/** The longest record: a reply of 4 KiB kept for resending. */
#define DC_RECORD_MAX 4096u
/** A request with an empty subject and a signature of two 33-byte integers is 190 bytes; rounded up. */
#define DC_CSR_MAX 192u
/** The longest role: an object identifier 2.25.<uuid> takes 20 bytes. */
#define DC_ROLE_MAX 32u
/** The longest entry of the ring: a reading of 1 KiB, and what the queue notes beside it. */
#define DC_RING_ENTRY_MAX (1024u + 64u)

/** Key usage bits as in the first byte of X.509's bit string (RFC 5280 section 4.2.1.3). */
#define DC_KEY_USAGE_DIGITAL_SIGNATURE 0x80u
#define DC_KEY_USAGE_KEY_AGREEMENT 0x08u

/** Input bytes; `data` may be NULL when `length` is 0. */
struct dc_bytes {
  const uint8_t *data;
  size_t length;
};

/** Names a key: slot number, and the slot's generation << 8. Never 0, below 2^31. */
typedef uint32_t dc_handle;

#include "dc_state.h"

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
 * DC_ERR_ARGUMENT for no or unknown flags, for SIGN (only pairs sign), and for ENCRYPT
 * with WRAP, here and for all other AES keys: a nonce used for both would give the
 * carried key.
 */
int dc_generate_key(struct dc *dc, uint32_t usage, dc_handle *key);

/**
 * A fresh, volatile P-256 pair for SIGN, DERIVE or both; DC_ERR_ARGUMENT for other flags.
 */
int dc_generate_key_pair(struct dc *dc, uint32_t usage, dc_handle *key);

/** Wipes a volatile key. DC_ERR_KEY for a stored one: dc_erase_key does that. */
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
 * 16 bytes of the CARRIED key, put together in wiped memory. A WRAP key's handle
 * encrypts one key, once: its WRAP use is spent even when the encryption then fails.
 * DC_ERR_KEY when it is spent, or both are the same key. `out` takes prefix +
 * DC_KEY_SIZE + DC_TAG_SIZE bytes.
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
 * A stored P-256 key (SIGN and DERIVE) by its id, 1 to DC_ID_MAX characters a-z and
 * 0-9: made and stored when the store has never held one under it, else read. While
 * it is open, the same handle again. DC_ERR_KEY when DC_STORED_KEYS are open.
 *
 * One record in two store slots ("<id>-a", "<id>-b"), written in turn. The
 * valid one with the higher record sequence counts. When the other is not its
 * direct predecessor (damaged, missing, put back from an older copy), the device
 * counter may have gone further than is known: it jumps by DC_COUNTER_JUMP, once,
 * written before the return. Two slots cannot tell when the newest slot alone was put
 * back to its own previous content, or both to an earlier pair: a counter value is then
 * handed out twice.
 *
 * DC_ERR_STORE when something is stored and nothing valid; never a new key then. The
 * exception is a damaged slot a and no slot b: a first write that was cut, before any
 * key was given out. The key is made.
 */
int dc_open_key(struct dc *dc, struct dc_bytes id, dc_handle *key);

/**
 * 1 when the store holds anything under the key's id, damaged or not; dc_open_key then
 * makes none, unless it is the trace of a first write that was cut.
 */
int dc_has_key(struct dc *dc, struct dc_bytes id, int *present);

/**
 * Erases the key's record, both slots, and wipes the key if it is open; its handle
 * names nothing afterwards. No such key is no error. After DC_ERR_STORE the key is
 * closed and something may be left: call it again.
 */
int dc_erase_key(struct dc *dc, struct dc_bytes id);

/** dc_open_key of the id "device". */
int dc_open_device_key(struct dc *dc, dc_handle *key);

/** dc_next_counter of the id "device". */
int dc_next_device_counter(struct dc *dc, uint32_t *counter);

/**
 * The next value of the counter that every stored key has, from 1; written and read back before it is
 * returned, so that none is handed out twice (but see dc_open_key for a store that was
 * put back). DC_ERR_KEY before dc_open_key,
 * DC_ERR_SEQUENCE past DC_COUNTER_MAX. After DC_ERR_STORE it may be called again.
 */
int dc_next_counter(struct dc *dc, struct dc_bytes id, uint32_t *counter);

/**
 * Moves a stored key's counter forward to `counter`, 1 to DC_COUNTER_MAX: the next value
 * is above it. For a store that was put back, by the word of who knows what was handed
 * out. Not above where it stands it changes nothing. Failures as for dc_next_counter.
 */
int dc_move_counter(struct dc *dc, struct dc_bytes id, uint32_t counter);

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

/**
 * Right before deep sleep: an ENCRYPT_SEQUENCE key with its last number goes to the
 * port, in place of one kept before, and nowhere else: its handle names nothing
 * afterwards. A number reserved and not yet used is given up. After DC_ERR_STORE the
 * key is as before. DC_ERR_UNSUPPORTED where the port does not know deep sleep.
 */
int dc_keep_session(struct dc *dc, dc_handle key);

/**
 * After a wake from deep sleep, once: the key, counting on after its last number.
 * DC_ABSENT after any other reset, and when there is none, it is damaged or the port
 * fails: then a new session is the way on. DC_ERR_KEY, and it stays kept, while all
 * slots are taken.
 */
int dc_resume_session(struct dc *dc, dc_handle *key);

/**
 * Why the machine started, a DC_RESET_*. Never fails: DC_RESET_UNKNOWN where the port does
 * not know, or says something else.
 */
uint32_t dc_reset_reason(const struct dc *dc);

/**
 * A PKCS #10 request (RFC 2986) for a SIGN key, DER: its P-256 public key, an empty
 * subject (the CA decides on the name), no attributes, ES256. The same key gives the
 * same bytes.
 */
int dc_write_csr(struct dc *dc, dc_handle key, uint8_t out[DC_CSR_MAX], size_t *length);

/** What a leaf certificate must be. */
struct dc_certificate_rules {
  struct dc_bytes role; /* the contents of the object identifier, 1 to DC_ROLE_MAX bytes */
  uint32_t key_usage;   /* one DC_KEY_USAGE_* */
  int64_t issued_not_before; /* Unix seconds; 0: any since 1970 */
  int64_t time_floor;        /* Unix seconds; the port's clock raises it */
};

struct dc_certificate {
  uint8_t public_key[DC_POINT_SIZE];
  int64_t not_before, not_after; /* Unix seconds */
};

/**
 * A leaf certificate (RFC 5280, DER) right below the anchor, and nothing longer:
 * P-256 and ecdsa-with-SHA256, cA absent or false, key usage exactly the bit that is
 * required, extended key usage critical and exactly the role, no critical extension
 * besides, no extension twice, notAfter >= time floor, notBefore >= issued-not-before,
 * signed by the anchor's key. The anchor is trusted as it is: only that it is a P-256
 * CA with keyCertSign is judged. DC_ERR_CERTIFICATE_* for the first rule that is broken;
 * the signature, which costs most, is checked last, and `certificate` is zero until then.
 */
int dc_verify_certificate(struct dc *dc, struct dc_bytes leaf, struct dc_bytes anchor,
                          const struct dc_certificate_rules *rules,
                          struct dc_certificate *certificate);

/**
 * Stores up to DC_RECORD_MAX bytes under an id (as for dc_open_key; keys and records
 * do not share ids). Two store slots ("r-<id>-a", "r-<id>-b") written in turn, each
 * with sequence and CRC-32: after a power cut the old or the new is there, whole. When
 * the newest slot rots later, the record before it is read, and nothing tells.
 * DC_ERR_STORE when it is not known to be written; DC_ERR_SEQUENCE after 2^32 writes.
 */
int dc_write_record(struct dc *dc, struct dc_bytes id, struct dc_bytes content);

/**
 * The record: its bytes in `out` (room for DC_RECORD_MAX). DC_ABSENT when there is
 * none, DC_ERR_STORE when there is one and no slot is whole.
 */
int dc_read_record(struct dc *dc, struct dc_bytes id, uint8_t *out, size_t *length);

/** Erases the record; none is no error. After a power cut the record or nothing is there. */
int dc_erase_record(struct dc *dc, struct dc_bytes id);

/**
 * Wipes every key of the module and has the port erase all it stores. The module is
 * then as after dc_init. After DC_ERR_STORE something may be left: call it again.
 */
int dc_erase_all(struct dc *dc);

/*
 * The ring: a queue of byte strings in raw NOR flash, oldest first. Sectors are used
 * in turn (that is the wear levelling). It survives a power cut at every write and
 * erase: an entry is there whole or not at all, dropped ones stay dropped. All
 * functions: DC_ERR_UNSUPPORTED without flash, DC_ERR_STORE when it fails.
 */

/**
 * Adds an entry of 1 to DC_RING_ENTRY_MAX bytes, written and read back. When all is
 * full the sector with the oldest entries is erased; `evicted` is how many were lost
 * so since the last append that succeeded: indices count on without them. An append
 * that fails may have lost some of them already: after DC_ERR_STORE read dc_ring_count
 * again before using an index.
 */
int dc_ring_append(struct dc *dc, struct dc_bytes entry, uint32_t *evicted);
/** Entry `index` (0: the oldest) in `out` (room for DC_RING_ENTRY_MAX); DC_ABSENT past the last. */
int dc_ring_peek(struct dc *dc, uint32_t index, uint8_t *out, size_t *length);
/** Drops the oldest `count` entries, at most all, with one write. */
int dc_ring_drop(struct dc *dc, uint32_t count);
int dc_ring_count(struct dc *dc, uint32_t *count);

#endif

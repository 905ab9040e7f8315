#ifndef DC_STATE_H
#define DC_STATE_H

/*
 * What a struct dc is made of, for dc.h only: the caller owns the memory and so must
 * know its size. Nobody outside core/ reads or writes it; tests look inside.
 */

/** One key. */
struct dc_slot {
  uint32_t generation; /* counts the keys the slot has held; outlives each of them */
  uint32_t sequence;   /* last number reserved; 0: none */
  uint8_t kind;        /* 0: free */
  uint8_t usage;
  uint8_t sequence_open; /* 1: `sequence` is reserved and has not encrypted yet */
  uint8_t stored;        /* 1: a stored key, which dc_destroy_key leaves alone */
  uint8_t wrap_spent;    /* 1: a WRAP key that has encrypted its one key */
  uint8_t base_iv[DC_NONCE_SIZE];
  uint8_t public_key[DC_POINT_SIZE];
  uint8_t secret[DC_SCALAR_SIZE];
};

/** A stored key that is open. */
struct dc_stored_key {
  char id[DC_ID_MAX + 1]; /* empty: none */
  uint8_t record_slot;    /* which of the two record slots holds the newest */
  uint32_t counter;
  dc_handle key;
  uint64_t record_sequence; /* of the newest record */
};

/** Where the ring stands. */
struct dc_ring {
  uint8_t mounted;
  uint32_t newest;   /* sector; its number in the order of use is `sequence`, 0: none yet */
  uint32_t sequence;
  uint32_t write_at; /* within the newest sector */
  uint32_t count;
  uint32_t first; /* flash offset of the oldest entry */
  uint32_t cursor_index, cursor; /* an entry looked at last, and where it is */
  uint32_t evicted; /* lost to evictions, and not told by an append yet */
  uint32_t before;  /* the count before an eviction that failed; 0: none, or known since */
};

/** Room for mbedTLS's curve (mbedtls_ecp_group), so that hosts need no mbedTLS header. */
#define DC_CURVE_WORDS 48u

/** Header and CRC-32 of a record in the store. */
#define DC_RECORD_OVERHEAD 15u

/** The module. The caller owns the memory and never reads or writes it. */
struct dc {
  struct dc_port port;
  struct dc_slot slots[DC_SLOTS];
  uint64_t curve[DC_CURVE_WORDS];
  struct dc_stored_key stored_keys[DC_STORED_KEYS];
  struct dc_ring ring;
  uint8_t curve_ready;
  uint8_t random_failed; /* the random source failed during this call */
  uint8_t scratch[DC_RECORD_MAX + DC_RECORD_OVERHEAD]; /* a record while it is read or written */
};

#endif

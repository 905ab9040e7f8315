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

#endif

#ifndef DC_DER_H
#define DC_DER_H

/*
 * A strict reader of DER (X.690 section 10) over bytes that stay where they are.
 * Definite, shortest lengths up to 65,535; one-byte tags. Each function takes one
 * element off the front of `input` and returns 0, or -1 when it is not there so;
 * `input` is then of no use.
 */

#include "internal.h"

#define DC_DER_BOOLEAN 0x01u
#define DC_DER_INTEGER 0x02u
#define DC_DER_BIT_STRING 0x03u
#define DC_DER_OCTET_STRING 0x04u
#define DC_DER_OID 0x06u
#define DC_DER_UTC_TIME 0x17u
#define DC_DER_GENERALIZED_TIME 0x18u
#define DC_DER_SEQUENCE 0x30u
#define DC_DER_CONTEXT_0 0xa0u
#define DC_DER_CONTEXT_3 0xa3u

/** 1 when the next element has this tag. */
int dc_der_is(struct dc_bytes input, uint8_t tag);
/** The contents of the next element, which must have this tag. */
int dc_der_read(struct dc_bytes *input, uint8_t tag, struct dc_bytes *contents);
/** The same with its tag and length. */
int dc_der_read_whole(struct dc_bytes *input, uint8_t tag, struct dc_bytes *element);
/** An integer that is positive or 0, without its sign byte, right-aligned in `size` bytes. */
int dc_der_read_unsigned(struct dc_bytes *input, uint8_t *out, size_t size);
/** Unix seconds of a time as RFC 5280 section 4.1.2.5 writes it. */
int dc_der_read_time(struct dc_bytes *input, int64_t *seconds);

int dc_bytes_equal(struct dc_bytes a, struct dc_bytes b);

#endif

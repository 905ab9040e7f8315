#ifndef DC_TEST_IMPORT_H
#define DC_TEST_IMPORT_H

/* Keys of a test's choice. Not part of the core, which takes none; compiles for tests only. */

#ifndef DC_TEST
#error "importing secrets is for tests"
#endif

#include "internal.h"

/** An AES-128 key with `usage`. 0, or DC_ERR_KEY without a free slot. */
int dc_test_import_aes(struct dc *dc, const uint8_t secret[DC_KEY_SIZE], uint32_t usage,
                       dc_handle *key);

#endif

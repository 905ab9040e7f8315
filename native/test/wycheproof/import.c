#include "import.h"

#include <string.h>

int dc_test_import_aes(struct dc *dc, const uint8_t secret[DC_KEY_SIZE], uint32_t usage,
                       dc_handle *key) {
  struct dc_slot *slot = dc_slot_claim(dc, DC_KIND_AES128, usage);
  if (slot == NULL) return DC_ERR_KEY;
  memcpy(slot->secret, secret, DC_KEY_SIZE);
  return dc_slot_settle(dc, slot, 0, key);
}

#include "internal.h"

#include <string.h>

#include <mbedtls/platform_util.h>

/* Handles stay below 2^31, the integers of every host. A slot that has held this
 * many keys retires, so that a stale handle never names a later key. */
#define GENERATION_MAX 0x7fffffu

/* All flags but SIGN, which is for P-256. */
#define AES_USAGES \
  (DC_USAGE_DERIVE | DC_USAGE_ENCRYPT | DC_USAGE_DECRYPT | DC_USAGE_ENCRYPT_SEQUENCE | \
   DC_USAGE_WRAP | DC_USAGE_CARRIED)

#define PAIR_USAGES (DC_USAGE_SIGN | DC_USAGE_DERIVE)

void dc_init(struct dc *dc, const struct dc_port *port) {
  memset(dc, 0, sizeof *dc);
  dc->port = *port;
  for (size_t i = 0; i < DC_SLOTS; i++) dc->slots[i].generation = 1;
}

void dc_free(struct dc *dc) {
  for (size_t i = 0; i < DC_SLOTS; i++)
    if (dc->slots[i].kind != DC_KIND_FREE) dc_slot_wipe(&dc->slots[i]);
  dc_ec_free(dc);
  memset(dc->stored_keys, 0, sizeof dc->stored_keys);
  memset(&dc->ring, 0, sizeof dc->ring);
}

void dc_slot_wipe(struct dc_slot *slot) {
  uint32_t generation = slot->generation;
  mbedtls_platform_zeroize(slot, sizeof *slot);
  slot->generation = generation + 1;
}

struct dc_slot *dc_slot_find(struct dc *dc, dc_handle key, uint8_t kind, uint32_t usage) {
  uint32_t index = key & 0xffu;
  if (index >= DC_SLOTS) return NULL;
  struct dc_slot *slot = &dc->slots[index];
  if (slot->kind != kind || slot->generation != key >> 8) return NULL;
  return (slot->usage & usage) == usage ? slot : NULL;
}

struct dc_slot *dc_slot_claim(struct dc *dc, uint8_t kind, uint32_t usage) {
  for (size_t i = 0; i < DC_SLOTS; i++) {
    struct dc_slot *slot = &dc->slots[i];
    if (slot->kind != DC_KIND_FREE || slot->generation > GENERATION_MAX) continue;
    slot->kind = kind;
    slot->usage = (uint8_t)usage;
    return slot;
  }
  return NULL;
}

int dc_slot_settle(struct dc *dc, struct dc_slot *slot, int status, dc_handle *key) {
  if (status != 0) {
    dc_slot_wipe(slot);
    *key = 0;
    return status;
  }
  *key = slot->generation << 8 | (uint32_t)(slot - dc->slots);
  return 0;
}

int dc_check_usage(uint32_t usage, int made_here) {
  const uint32_t both = DC_USAGE_ENCRYPT | DC_USAGE_WRAP;
  if (usage == 0 || (usage & ~AES_USAGES) != 0) return DC_ERR_ARGUMENT;
  /* Under one nonce, a known plaintext would give the keystream over a carried key. */
  if ((usage & both) == both) return DC_ERR_ARGUMENT;
  if ((usage & DC_USAGE_ENCRYPT_SEQUENCE) == 0) return 0;
  /* "Each number once" holds only if no nonce comes from outside and no second
   * handle counts for the same key. */
  if (!made_here || (usage & both) != 0) return DC_ERR_ARGUMENT;
  return 0;
}

int dc_generate_key(struct dc *dc, uint32_t usage, dc_handle *key) {
  *key = 0;
  int status = dc_check_usage(usage, 1);
  if (status == 0) status = dc_random_ready(dc);
  if (status != 0) return status;
  struct dc_slot *slot = dc_slot_claim(dc, DC_KIND_AES128, usage);
  if (slot == NULL) return DC_ERR_KEY;
  status = dc_random(dc, slot->secret, DC_KEY_SIZE);
  if (status == 0 && (usage & DC_USAGE_ENCRYPT_SEQUENCE) != 0)
    status = dc_random(dc, slot->base_iv, DC_NONCE_SIZE);
  return dc_slot_settle(dc, slot, status, key);
}

int dc_generate_key_pair(struct dc *dc, uint32_t usage, dc_handle *key) {
  *key = 0;
  if (usage == 0 || (usage & ~PAIR_USAGES) != 0) return DC_ERR_ARGUMENT;
  struct dc_slot *slot = dc_slot_claim(dc, DC_KIND_P256, usage);
  if (slot == NULL) return DC_ERR_KEY;
  int status = dc_ec_generate(dc, slot->secret, slot->public_key);
  return dc_slot_settle(dc, slot, status, key);
}

int dc_destroy_key(struct dc *dc, dc_handle key) {
  struct dc_slot *slot = dc_slot_find(dc, key, DC_KIND_AES128, 0);
  if (slot == NULL) slot = dc_slot_find(dc, key, DC_KIND_P256, 0);
  if (slot == NULL || slot->stored) return DC_ERR_KEY;
  dc_slot_wipe(slot);
  return 0;
}

int dc_export_public_key(struct dc *dc, dc_handle key, uint8_t out[DC_POINT_SIZE]) {
  const struct dc_slot *slot = dc_slot_find(dc, key, DC_KIND_P256, 0);
  if (slot == NULL) return DC_ERR_KEY;
  memcpy(out, slot->public_key, DC_POINT_SIZE);
  return 0;
}

int dc_export_base_iv(struct dc *dc, dc_handle key, uint8_t out[DC_NONCE_SIZE]) {
  const struct dc_slot *slot = dc_slot_find(dc, key, DC_KIND_AES128, DC_USAGE_ENCRYPT_SEQUENCE);
  if (slot == NULL) return DC_ERR_KEY;
  memcpy(out, slot->base_iv, DC_NONCE_SIZE);
  return 0;
}

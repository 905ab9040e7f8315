#include "key_record.h"

#include <string.h>

#include <mbedtls/platform_util.h>

/*
 * Stored keys. Each is one record in two store slots, written in turn, so that the
 * newest two are there and a write that goes wrong costs the older one.
 */

static const struct dc_bytes device_id = {(const uint8_t *)"device", 6};

/* The entry of an open key; NULL when it is not open. */
static struct dc_stored_key *find_open(struct dc *dc, struct dc_bytes id) {
  for (size_t i = 0; i < DC_STORED_KEYS; i++) {
    struct dc_stored_key *stored = &dc->stored_keys[i];
    if (strlen(stored->id) == id.length && memcmp(stored->id, id.data, id.length) == 0)
      return stored;
  }
  return NULL;
}

static struct dc_stored_key *find_room(struct dc *dc) {
  for (size_t i = 0; i < DC_STORED_KEYS; i++)
    if (dc->stored_keys[i].id[0] == '\0') return &dc->stored_keys[i];
  return NULL;
}

/* Writes the next record over the older one. The module's own state follows only when
 * that is done, so a failed write may be tried again. */
static int write_next(struct dc *dc, struct dc_bytes id, struct dc_stored_key *stored,
                      const struct dc_slot *key, uint32_t counter) {
  struct dc_key_record record;
  unsigned target = stored->record_slot ^ 1u;
  record.presence = DC_VALID;
  record.sequence = stored->record_sequence + 1;
  record.counter = counter;
  memcpy(record.secret, key->secret, DC_SCALAR_SIZE);
  memcpy(record.public_key, key->public_key, DC_POINT_SIZE);
  int status = dc_key_record_write(dc, id, target, &record);
  mbedtls_platform_zeroize(&record, sizeof record);
  if (status != 0) return status;
  stored->record_sequence++;
  stored->record_slot = (uint8_t)target;
  stored->counter = counter;
  return 0;
}

/* Both slots are written at once, so that a missing one later on is known as a loss. */
static int make_key(struct dc *dc, struct dc_bytes id, struct dc_stored_key *stored,
                    struct dc_slot *key) {
  stored->record_slot = 1;
  int status = dc_ec_generate(dc, key->secret, key->public_key);
  if (status == 0) status = write_next(dc, id, stored, key, 0);
  if (status == 0) status = write_next(dc, id, stored, key, 0);
  return status;
}

/* Takes over the newest record; `other` decides whether the counter may be trusted. */
static int load_key(struct dc *dc, struct dc_bytes id, struct dc_stored_key *stored,
                    struct dc_slot *key, const struct dc_key_record *newest,
                    const struct dc_key_record *other) {
  int same_key = dc_equal(newest->public_key, other->public_key, DC_POINT_SIZE);
  if (other->presence == DC_VALID && !same_key) return DC_ERR_STORE;
  memcpy(key->secret, newest->secret, DC_SCALAR_SIZE);
  memcpy(key->public_key, newest->public_key, DC_POINT_SIZE);
  int status = dc_ec_check_pair(dc, key->secret, key->public_key);
  if (status != 0) return status == DC_ERR_KEY ? DC_ERR_STORE : status;
  stored->record_sequence = newest->sequence;
  stored->counter = newest->counter;
  if (other->presence == DC_VALID && other->sequence + 1 == newest->sequence) return 0;
  /* The lost record may have been the newer one, its counter already used. */
  uint32_t room = DC_COUNTER_MAX - stored->counter;
  return write_next(dc, id, stored, key,
                    stored->counter + (room < DC_COUNTER_JUMP ? room : DC_COUNTER_JUMP));
}

static int fill_key(struct dc *dc, struct dc_bytes id, struct dc_stored_key *stored,
                    struct dc_slot *key, struct dc_key_record records[2]) {
  int status = dc_key_record_read(dc, id, 0, &records[0]);
  if (status == 0) status = dc_key_record_read(dc, id, 1, &records[1]);
  if (status != 0) return status;
  /*
   * Nothing, or a first write of slot a that was cut or not read back: both slots are
   * written before a key is given out, and an erase begins with slot a. Should an older
   * device lose slot b and slot a rot, its key is gone in any case.
   */
  if (records[0].presence != DC_VALID && records[1].presence == DC_MISSING)
    return make_key(dc, id, stored, key);
  if (records[0].presence != DC_VALID && records[1].presence != DC_VALID) return DC_ERR_STORE;
  unsigned newest = records[1].sequence > records[0].sequence; /* an invalid one counts as 0 */
  stored->record_slot = (uint8_t)newest;
  return load_key(dc, id, stored, key, &records[newest], &records[newest ^ 1u]);
}

/* Into an entry and a slot that are both free until all has gone well. */
static int open_into(struct dc *dc, struct dc_bytes id, struct dc_stored_key *stored,
                     struct dc_slot *slot, dc_handle *key) {
  struct dc_key_record records[2];
  memset(records, 0, sizeof records);
  int status = fill_key(dc, id, stored, slot, records);
  mbedtls_platform_zeroize(records, sizeof records);
  slot->stored = 1;
  status = dc_slot_settle(dc, slot, status, key);
  if (status == 0) {
    memcpy(stored->id, id.data, id.length);
    stored->key = *key;
  } else {
    memset(stored, 0, sizeof *stored);
  }
  return status;
}

int dc_open_key(struct dc *dc, struct dc_bytes id, dc_handle *key) {
  *key = 0;
  int status = dc_check_id(id);
  if (status != 0) return status;
  struct dc_stored_key *stored = find_open(dc, id);
  if (stored != NULL) {
    *key = stored->key;
    return 0;
  }
  stored = find_room(dc);
  if (stored == NULL) return DC_ERR_KEY;
  struct dc_slot *slot = dc_slot_claim(dc, DC_KIND_P256, DC_USAGE_SIGN | DC_USAGE_DERIVE);
  if (slot == NULL) return DC_ERR_KEY;
  return open_into(dc, id, stored, slot, key);
}

int dc_has_key(struct dc *dc, struct dc_bytes id, int *present) {
  *present = 0;
  int status = dc_check_id(id);
  for (unsigned slot = 0; status == 0 && slot < 2; slot++) {
    char name[DC_STORE_ID_MAX + 1];
    uint8_t first[4]; /* the magic number: no secret is read for this */
    size_t length;
    dc_store_id(name, "", id, slot);
    int result = dc->port.store_read(dc->port.context, name, first, sizeof first, &length);
    if (result == 0) *present = 1;
    if (result != 0 && result != DC_STORE_ABSENT) status = DC_ERR_STORE;
  }
  return status;
}

int dc_next_counter(struct dc *dc, struct dc_bytes id, uint32_t *counter) {
  *counter = 0;
  int status = dc_check_id(id);
  if (status != 0) return status;
  struct dc_stored_key *stored = find_open(dc, id);
  if (stored == NULL) return DC_ERR_KEY;
  const struct dc_slot *key = dc_slot_find(dc, stored->key, DC_KIND_P256, DC_USAGE_SIGN);
  if (key == NULL) return DC_ERR_KEY;
  if (stored->counter >= DC_COUNTER_MAX) return DC_ERR_SEQUENCE;
  status = write_next(dc, id, stored, key, stored->counter + 1);
  if (status == 0) *counter = stored->counter;
  return status;
}

int dc_move_counter(struct dc *dc, struct dc_bytes id, uint32_t counter) {
  int status = dc_check_id(id);
  if (status == 0 && counter == 0) status = DC_ERR_ARGUMENT;
  if (status != 0) return status;
  struct dc_stored_key *stored = find_open(dc, id);
  if (stored == NULL) return DC_ERR_KEY;
  const struct dc_slot *key = dc_slot_find(dc, stored->key, DC_KIND_P256, DC_USAGE_SIGN);
  if (key == NULL) return DC_ERR_KEY;
  if (counter <= stored->counter) return 0;
  return write_next(dc, id, stored, key, counter);
}

int dc_erase_key(struct dc *dc, struct dc_bytes id) {
  int status = dc_check_id(id);
  if (status != 0) return status;
  struct dc_stored_key *stored = find_open(dc, id);
  if (stored != NULL) {
    dc_slot_wipe(&dc->slots[stored->key & 0xffu]);
    memset(stored, 0, sizeof *stored);
  }
  for (unsigned slot = 0; status == 0 && slot < 2; slot++) {
    char name[DC_STORE_ID_MAX + 1];
    dc_store_id(name, "", id, slot);
    if (dc->port.store_erase(dc->port.context, name) != 0) status = DC_ERR_STORE;
  }
  return status;
}

int dc_open_device_key(struct dc *dc, dc_handle *key) { return dc_open_key(dc, device_id, key); }

int dc_next_device_counter(struct dc *dc, uint32_t *counter) {
  return dc_next_counter(dc, device_id, counter);
}

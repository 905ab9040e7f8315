#include "internal.h"

#include <string.h>

#include <mbedtls/platform_util.h>

/*
 * The device key record, big-endian:
 *   0   4  "cfdk"
 *   4   1  version of this layout
 *   5   8  record sequence, from 1
 *  13   4  device counter: the last value handed out, or about to be
 *  17  32  private key
 *  49  65  public key
 * 114   4  CRC-32 of all before
 *
 * It is kept in two store slots, written in turn, so that the newest two records
 * are there and a write that goes wrong costs the older one. The CRC finds damage,
 * not forgery: who can write the store can read the key.
 */
#define RECORD_SIZE 118u
#define VERSION 1u
#define AT_VERSION 4u
#define AT_SEQUENCE 5u
#define AT_COUNTER 13u
#define AT_SECRET 17u
#define AT_PUBLIC 49u
#define AT_CRC 114u

static const uint8_t magic[4] = {'c', 'f', 'd', 'k'};
static const char *const slot_ids[2] = {"device-a", "device-b"};

enum presence { ABSENT, DAMAGED, VALID };

struct record {
  enum presence presence;
  uint64_t sequence;
  uint8_t bytes[RECORD_SIZE];
};

static int is_valid(const uint8_t *record, size_t length) {
  return length == RECORD_SIZE && memcmp(record, magic, sizeof magic) == 0 &&
         record[AT_VERSION] == VERSION && dc_get_u64(record + AT_SEQUENCE) > 0 &&
         dc_get_u32(record + AT_CRC) == dc_crc32(record, AT_CRC);
}

static int read_record(struct dc *dc, unsigned slot, struct record *record) {
  size_t length = 0;
  int result = dc->port.store_read(dc->port.context, slot_ids[slot], record->bytes, RECORD_SIZE,
                                   &length);
  if (result != 0 && result != DC_STORE_ABSENT) return DC_ERR_STORE;
  record->sequence = 0;
  record->presence = ABSENT;
  if (result == DC_STORE_ABSENT) return 0;
  record->presence = is_valid(record->bytes, length) ? VALID : DAMAGED;
  if (record->presence == VALID) record->sequence = dc_get_u64(record->bytes + AT_SEQUENCE);
  return 0;
}

/* Writes the next record over the older one, and reads it back: flash that took the
 * write and kept something else must show before the counter is used. The module's
 * own state follows only then, so a failed write may be tried again. */
static int write_record(struct dc *dc, const struct dc_slot *key, uint32_t counter) {
  uint8_t record[RECORD_SIZE];
  uint8_t stored[RECORD_SIZE];
  size_t length = 0;
  unsigned target = dc->record_slot ^ 1u;
  memcpy(record, magic, sizeof magic);
  record[AT_VERSION] = VERSION;
  dc_put_u64(record + AT_SEQUENCE, dc->record_sequence + 1);
  dc_put_u32(record + AT_COUNTER, counter);
  memcpy(record + AT_SECRET, key->secret, DC_SCALAR_SIZE);
  memcpy(record + AT_PUBLIC, key->public_key, DC_POINT_SIZE);
  dc_put_u32(record + AT_CRC, dc_crc32(record, AT_CRC));
  void *context = dc->port.context;
  int status = dc->port.store_write(context, slot_ids[target], record, RECORD_SIZE);
  if (status == 0)
    status = dc->port.store_read(context, slot_ids[target], stored, RECORD_SIZE, &length);
  if (status == 0 && (length != RECORD_SIZE || !dc_equal(record, stored, RECORD_SIZE)))
    status = DC_ERR_STORE;
  mbedtls_platform_zeroize(record, sizeof record);
  mbedtls_platform_zeroize(stored, sizeof stored);
  if (status != 0) return DC_ERR_STORE;
  dc->record_sequence++;
  dc->record_slot = (uint8_t)target;
  dc->device_counter = counter;
  return 0;
}

/* Both slots are written at once, so that a missing one later on is known as a loss. */
static int make_device_key(struct dc *dc, struct dc_slot *key) {
  dc->record_sequence = 0;
  dc->record_slot = 1;
  int status = dc_ec_generate(dc, key->secret, key->public_key);
  if (status == 0) status = write_record(dc, key, 0);
  if (status == 0) status = write_record(dc, key, 0);
  return status;
}

/* Takes over the newest record; `other` decides whether the counter may be trusted. */
static int load_device_key(struct dc *dc, struct dc_slot *key, const struct record *newest,
                           const struct record *other) {
  int same_key = dc_equal(newest->bytes + AT_PUBLIC, other->bytes + AT_PUBLIC, DC_POINT_SIZE);
  if (other->presence == VALID && !same_key) return DC_ERR_STORE;
  memcpy(key->secret, newest->bytes + AT_SECRET, DC_SCALAR_SIZE);
  memcpy(key->public_key, newest->bytes + AT_PUBLIC, DC_POINT_SIZE);
  int status = dc_ec_check_pair(dc, key->secret, key->public_key);
  if (status != 0) return status == DC_ERR_KEY ? DC_ERR_STORE : status;
  dc->record_sequence = newest->sequence;
  dc->device_counter = dc_get_u32(newest->bytes + AT_COUNTER);
  if (other->presence == VALID && other->sequence + 1 == newest->sequence) return 0;
  /* The lost record may have been the newer one, its counter already used. */
  uint32_t room = DC_COUNTER_MAX - dc->device_counter;
  return write_record(dc, key, dc->device_counter + (room < DC_COUNTER_JUMP ? room : DC_COUNTER_JUMP));
}

static int fill_device_key(struct dc *dc, struct dc_slot *key, struct record records[2]) {
  int status = read_record(dc, 0, &records[0]);
  if (status == 0) status = read_record(dc, 1, &records[1]);
  if (status != 0) return status;
  if (records[0].presence == ABSENT && records[1].presence == ABSENT)
    return make_device_key(dc, key);
  if (records[0].presence != VALID && records[1].presence != VALID) return DC_ERR_STORE;
  unsigned newest = records[1].sequence > records[0].sequence; /* an invalid one counts as 0 */
  dc->record_slot = (uint8_t)newest;
  return load_device_key(dc, key, &records[newest], &records[newest ^ 1u]);
}

int dc_open_device_key(struct dc *dc, dc_handle *key) {
  *key = dc->device_key;
  if (*key != 0) return 0;
  struct dc_slot *slot = dc_slot_claim(dc, DC_KIND_P256, DC_USAGE_SIGN | DC_USAGE_DERIVE);
  if (slot == NULL) return DC_ERR_KEY;
  struct record records[2];
  memset(records, 0, sizeof records);
  int status = fill_device_key(dc, slot, records);
  mbedtls_platform_zeroize(records, sizeof records);
  status = dc_slot_settle(dc, slot, status, key);
  dc->device_key = *key;
  return status;
}

int dc_next_device_counter(struct dc *dc, uint32_t *counter) {
  *counter = 0;
  const struct dc_slot *key = dc_slot_find(dc, dc->device_key, DC_KIND_P256, DC_USAGE_SIGN);
  if (key == NULL) return DC_ERR_KEY;
  if (dc->device_counter >= DC_COUNTER_MAX) return DC_ERR_SEQUENCE;
  int status = write_record(dc, key, dc->device_counter + 1);
  if (status == 0) *counter = dc->device_counter;
  return status;
}

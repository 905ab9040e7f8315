#include "internal.h"

#include <string.h>

#include <mbedtls/platform_util.h>

/*
 * A record's slot, big-endian:
 *   0   4  "cfrc"
 *   4   1  version of this layout
 *   5   4  sequence, from 1: which of the two slots is newer
 *   9   2  length of the content
 *  11   n  content
 * 11+n  4  CRC-32 of all before: it finds damage, not forgery
 *
 * The first write of a record fills both slots. So one damaged slot beside a missing
 * one is a first write that was cut, and means: no record.
 */
#define VERSION 1u
#define AT_VERSION 4u
#define AT_SEQUENCE 5u
#define AT_LENGTH 9u
#define AT_CONTENT 11u
#define CRC_SIZE 4u
#define PREFIX "r-"

static const uint8_t magic[4] = {'c', 'f', 'r', 'c'};

enum presence { MISSING, DAMAGED, VALID };

/* What both slots hold. */
struct survey {
  enum presence presence[2];
  uint32_t sequence[2]; /* 0 unless valid */
  unsigned newest;
};

static int is_valid(const uint8_t *bytes, size_t size) {
  if (size < DC_RECORD_OVERHEAD || size > DC_RECORD_MAX + DC_RECORD_OVERHEAD) return 0;
  size_t length = (size_t)(bytes[AT_LENGTH] << 8 | bytes[AT_LENGTH + 1]);
  return memcmp(bytes, magic, sizeof magic) == 0 && bytes[AT_VERSION] == VERSION &&
         dc_get_u32(bytes + AT_SEQUENCE) > 0 && length == size - DC_RECORD_OVERHEAD &&
         dc_get_u32(bytes + size - CRC_SIZE) == dc_crc32(bytes, size - CRC_SIZE);
}

/* A slot into the scratch memory. */
static int load(struct dc *dc, struct dc_bytes id, unsigned slot, struct survey *survey) {
  char name[DC_STORE_ID_MAX + 1];
  size_t size = 0;
  dc_store_id(name, PREFIX, id, slot);
  int result = dc->port.store_read(dc->port.context, name, dc->scratch, sizeof dc->scratch, &size);
  survey->presence[slot] = MISSING;
  survey->sequence[slot] = 0;
  if (result == DC_STORE_ABSENT) return 0;
  if (result != 0) return DC_ERR_STORE;
  survey->presence[slot] = is_valid(dc->scratch, size) ? VALID : DAMAGED;
  if (survey->presence[slot] == VALID)
    survey->sequence[slot] = dc_get_u32(dc->scratch + AT_SEQUENCE);
  return 0;
}

static int look(struct dc *dc, struct dc_bytes id, struct survey *survey) {
  int status = dc_check_id(id);
  if (status == 0) status = load(dc, id, 0, survey);
  if (status == 0) status = load(dc, id, 1, survey);
  if (status == 0) survey->newest = survey->sequence[1] > survey->sequence[0];
  return status;
}

static size_t content_length(const struct dc *dc) {
  return (size_t)(dc->scratch[AT_LENGTH] << 8 | dc->scratch[AT_LENGTH + 1]);
}

static void wipe_scratch(struct dc *dc) {
  mbedtls_platform_zeroize(dc->scratch, sizeof dc->scratch);
}

static int copy_newest(struct dc *dc, struct dc_bytes id, struct survey *survey, uint8_t *out,
                       size_t *length) {
  unsigned newest = survey->newest;
  if (survey->presence[newest] != VALID) {
    int both_there = survey->presence[0] != MISSING && survey->presence[1] != MISSING;
    return both_there ? DC_ERR_STORE : DC_ABSENT;
  }
  int status = newest == 1 ? 0 : load(dc, id, newest, survey); /* slot 1 was read last */
  if (status != 0) return status;
  if (survey->presence[newest] != VALID) return DC_ERR_STORE;
  *length = content_length(dc);
  memcpy(out, dc->scratch + AT_CONTENT, *length);
  return 0;
}

int dc_read_record(struct dc *dc, struct dc_bytes id, uint8_t *out, size_t *length) {
  struct survey survey;
  *length = 0;
  int status = look(dc, id, &survey);
  if (status == 0) status = copy_newest(dc, id, &survey, out, length);
  wipe_scratch(dc);
  return status;
}

static int write_slot(struct dc *dc, struct dc_bytes id, unsigned slot, uint32_t sequence,
                      struct dc_bytes content) {
  uint8_t *bytes = dc->scratch;
  size_t size = content.length + DC_RECORD_OVERHEAD;
  char name[DC_STORE_ID_MAX + 1];
  struct survey stored;
  dc_store_id(name, PREFIX, id, slot);
  memcpy(bytes, magic, sizeof magic);
  bytes[AT_VERSION] = VERSION;
  dc_put_u32(bytes + AT_SEQUENCE, sequence);
  bytes[AT_LENGTH] = (uint8_t)(content.length >> 8);
  bytes[AT_LENGTH + 1] = (uint8_t)content.length;
  memcpy(bytes + AT_CONTENT, dc_data(content), content.length);
  dc_put_u32(bytes + size - CRC_SIZE, dc_crc32(bytes, size - CRC_SIZE));
  if (dc->port.store_write(dc->port.context, name, bytes, size) != 0) return DC_ERR_STORE;
  int status = load(dc, id, slot, &stored);
  if (status != 0) return status;
  int same = stored.presence[slot] == VALID && stored.sequence[slot] == sequence &&
             content_length(dc) == content.length &&
             dc_equal(bytes + AT_CONTENT, dc_data(content), content.length);
  return same ? 0 : DC_ERR_STORE;
}

int dc_write_record(struct dc *dc, struct dc_bytes id, struct dc_bytes content) {
  struct survey survey;
  if (content.length > DC_RECORD_MAX) return DC_ERR_ARGUMENT;
  int status = dc_check_input(content);
  if (status == 0) status = look(dc, id, &survey);
  if (status == 0) {
    uint32_t last = survey.sequence[survey.newest];
    if (last >= UINT32_MAX - 1)
      status = DC_ERR_SEQUENCE;
    else
      status = write_slot(dc, id, survey.newest ^ 1u, last + 1, content);
    if (status == 0 && last == 0) status = write_slot(dc, id, survey.newest, last + 2, content);
  }
  wipe_scratch(dc);
  return status;
}

int dc_erase_record(struct dc *dc, struct dc_bytes id) {
  struct survey survey;
  int status = look(dc, id, &survey);
  wipe_scratch(dc);
  /* The older one first: an old value must not come back when the power is cut between. */
  for (unsigned i = 0; status == 0 && i < 2; i++) {
    char name[DC_STORE_ID_MAX + 1];
    dc_store_id(name, PREFIX, id, survey.newest ^ 1u ^ i);
    if (dc->port.store_erase(dc->port.context, name) != 0) status = DC_ERR_STORE;
  }
  return status;
}

int dc_erase_all(struct dc *dc) {
  if (dc->port.erase_all == NULL) return DC_ERR_UNSUPPORTED;
  dc_free(dc);
  return dc->port.erase_all(dc->port.context) == 0 ? 0 : DC_ERR_STORE;
}

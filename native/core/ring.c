#include "internal.h"

#include <string.h>

/*
 * The ring on NOR flash. A sector, big-endian:
 *   0   4  "cfrg"
 *   4   4  the sector's number in the order of use, from 1
 *   8   4  CRC-32 of both
 *  12   4  not used: all ones
 *  16   .  entries, one after the other, each at a multiple of 4:
 *           0   2  length
 *           2   2  the length's complement: with bits that were not all cleared when the
 *                  power went, the two do not fit
 *           4   4  CRC-32 of the length and the content
 *           8   4  all ones; anything else: this entry and all before it are dropped
 *          12   n  content
 *         None reaches the sector's end, so that every offset names the sector it is of.
 *
 * Sectors are taken in the order of their addresses, again and again. One is opened in
 * three steps: its old header is cleared (from then on its entries are gone, whatever
 * the erase leaves behind), it is erased, and a new header is written. An entry's first
 * 8 bytes are written before its content, so that after a cut its place is known to be
 * taken; when not even the length is whole, the rest of the sector is given up.
 */
#define SECTOR_HEADER 16u
#define ENTRY_HEADER 12u
#define AT_CRC 4u
#define AT_MARK 8u
#define ALIGNMENT 4u

static const uint8_t magic[4] = {'c', 'f', 'r', 'g'};

enum entry_kind { BLANK, TORN, SPOILED, WHOLE };

struct entry {
  enum entry_kind kind;
  int dropped;
  size_t length;
};

static uint32_t base_of(uint32_t sector) { return sector * DC_FLASH_SECTOR; }
static uint32_t sector_of(uint32_t at) { return at / DC_FLASH_SECTOR; }
static uint32_t size_of(size_t length) {
  return ((uint32_t)(ENTRY_HEADER + length) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int read_flash(struct dc *dc, uint32_t at, uint8_t *out, size_t length) {
  return dc->port.flash_read(dc->port.context, at, out, length) == 0 ? 0 : DC_ERR_STORE;
}

static int write_flash(struct dc *dc, uint32_t at, const uint8_t *data, size_t length) {
  return dc->port.flash_write(dc->port.context, at, data, length) == 0 ? 0 : DC_ERR_STORE;
}

static int is_blank(const uint8_t *bytes, size_t length) {
  uint8_t all = 0xff;
  for (size_t i = 0; i < length; i++) all &= bytes[i];
  return all == 0xff;
}

/* The sector's number; 0 when it has no whole header. */
static int read_sequence(struct dc *dc, uint32_t sector, uint32_t *sequence) {
  uint8_t header[SECTOR_HEADER];
  int status = read_flash(dc, base_of(sector), header, sizeof header);
  *sequence = 0;
  if (status == 0 && memcmp(header, magic, sizeof magic) == 0 &&
      dc_get_u32(header + 8) == dc_crc32(header, 8))
    *sequence = dc_get_u32(header + 4);
  return status;
}

/* CRC-32 of what is at `at`, going on from `crc`, in small pieces. */
static int check_content(struct dc *dc, uint32_t at, size_t length, uint32_t *crc) {
  uint8_t piece[64];
  for (size_t done = 0; done < length;) {
    size_t size = length - done < sizeof piece ? length - done : sizeof piece;
    int status = read_flash(dc, at + (uint32_t)done, piece, size);
    if (status != 0) return status;
    *crc = dc_crc32_more(*crc, piece, size);
    done += size;
  }
  return 0;
}

/* What stands at `at`; TORN where no entry can be. */
static int read_entry(struct dc *dc, uint32_t at, struct entry *entry) {
  uint8_t header[ENTRY_HEADER];
  uint32_t room = DC_FLASH_SECTOR - at % DC_FLASH_SECTOR;
  memset(entry, 0, sizeof *entry);
  entry->kind = TORN;
  if (room == DC_FLASH_SECTOR || room < ENTRY_HEADER) return 0;
  int status = read_flash(dc, at, header, sizeof header);
  if (status != 0) return status;
  entry->kind = is_blank(header, sizeof header) ? BLANK : TORN;
  size_t length = (size_t)(header[0] << 8 | header[1]);
  size_t complement = (size_t)(header[2] << 8 | header[3]);
  if (length == 0 || length > DC_RING_ENTRY_MAX || (length ^ complement) != 0xffff ||
      size_of(length) >= room)
    return 0;
  uint32_t crc = dc_crc32_more(0, header, 2);
  status = check_content(dc, at + ENTRY_HEADER, length, &crc);
  if (status != 0) return status;
  entry->kind = crc == dc_get_u32(header + AT_CRC) ? WHOLE : SPOILED;
  entry->length = length;
  entry->dropped = !is_blank(header + AT_MARK, 4);
  return 0;
}

/* The sector after this one in the order of use, its number known; 0 when it is not used. */
static int step_sector(struct dc *dc, uint32_t *at, int *more) {
  struct dc_ring *ring = &dc->ring;
  uint32_t sector = sector_of(*at), sequence = 0;
  *more = 0;
  while (sector != ring->newest) {
    sector = (sector + 1) % dc->port.flash_sectors;
    uint32_t behind = (ring->newest + dc->port.flash_sectors - sector) % dc->port.flash_sectors;
    int status = read_sequence(dc, sector, &sequence);
    if (status != 0) return status;
    if (sequence == 0 || sequence != ring->sequence - behind) continue;
    *at = base_of(sector) + SECTOR_HEADER;
    *more = 1;
    return 0;
  }
  return 0;
}

/* The first whole entry from `*at` on, dropped or not; kind BLANK at the end of all. */
static int find_entry(struct dc *dc, uint32_t *at, struct entry *entry) {
  for (;;) {
    int more;
    int status = read_entry(dc, *at, entry);
    if (status != 0 || entry->kind == WHOLE) return status;
    if (entry->kind == SPOILED) {
      *at += size_of(entry->length);
      continue;
    }
    status = step_sector(dc, at, &more);
    if (status != 0) return status;
    if (!more) {
      entry->kind = BLANK;
      return 0;
    }
  }
}

/* Where the next entry of the newest sector goes; its end when the rest is of no use. */
static int find_write_at(struct dc *dc, uint32_t *write_at) {
  struct entry entry;
  *write_at = SECTOR_HEADER;
  for (;;) {
    int status = read_entry(dc, base_of(dc->ring.newest) + *write_at, &entry);
    if (status != 0 || entry.kind == BLANK) return status;
    if (entry.kind == TORN) {
      *write_at = DC_FLASH_SECTOR;
      return 0;
    }
    *write_at += size_of(entry.length);
  }
}

/* Counts the entries after the last dropped one. */
static int count_entries(struct dc *dc) {
  struct dc_ring *ring = &dc->ring;
  struct entry entry;
  /* From the sector after the newest, which is the oldest: one step on from the newest. */
  uint32_t at = base_of((ring->newest + 1) % dc->port.flash_sectors);
  uint32_t sequence;
  int status = read_sequence(dc, sector_of(at), &sequence);
  if (status == 0 && sequence == ring->sequence + 1 - dc->port.flash_sectors && sequence != 0)
    at += SECTOR_HEADER; /* else it is torn at its first byte, and stepped over */
  ring->count = 0;
  ring->first = at;
  for (; status == 0; at += size_of(entry.length)) {
    status = find_entry(dc, &at, &entry);
    if (status != 0 || entry.kind == BLANK) return status;
    if (ring->count++ == 0) ring->first = at;
    if (entry.dropped) ring->count = 0;
  }
  return status;
}

static int mount(struct dc *dc) {
  struct dc_ring *ring = &dc->ring;
  if (dc->port.flash_read == NULL || dc->port.flash_write == NULL ||
      dc->port.flash_erase == NULL || dc->port.flash_sectors < 2)
    return DC_ERR_UNSUPPORTED;
  if (ring->mounted) return 0;
  uint32_t evicted = ring->evicted, before = ring->before;
  memset(ring, 0, sizeof *ring);
  ring->evicted = evicted;
  ring->before = before;
  for (uint32_t sector = 0; sector < dc->port.flash_sectors; sector++) {
    uint32_t sequence;
    int status = read_sequence(dc, sector, &sequence);
    if (status != 0) return status;
    if (sequence <= ring->sequence) continue;
    ring->sequence = sequence;
    ring->newest = sector;
  }
  ring->write_at = DC_FLASH_SECTOR;
  if (ring->sequence == 0) {
    ring->newest = dc->port.flash_sectors - 1; /* so that sector 0 is opened first */
  } else {
    int status = find_write_at(dc, &ring->write_at);
    if (status == 0) status = count_entries(dc);
    if (status != 0) return status;
  }
  ring->cursor = ring->first;
  if (ring->before > ring->count) ring->evicted += ring->before - ring->count;
  ring->before = 0;
  ring->mounted = 1;
  return 0;
}

/* How many of the entries lie in the sector, which is the oldest. */
static int count_in(struct dc *dc, uint32_t sector, uint32_t *count, uint32_t *next) {
  struct entry entry;
  uint32_t at = dc->ring.first;
  for (*count = 0; *count < dc->ring.count; (*count)++) {
    int status = find_entry(dc, &at, &entry);
    if (status != 0) return status;
    if (entry.kind == BLANK || sector_of(at) != sector) break;
    at += size_of(entry.length);
  }
  *next = at;
  return 0;
}

/* What it evicts is noted in the ring. After a failure the entries may be lost or not: the
 * next mount sees how many are. */
static int open_sector(struct dc *dc) {
  static const uint8_t cleared[SECTOR_HEADER] = {0};
  struct dc_ring *ring = &dc->ring;
  uint32_t sector = (ring->newest + 1) % dc->port.flash_sectors;
  uint32_t next = ring->first, evicted = 0;
  uint8_t header[12];
  int status = 0;
  ring->before = ring->count;
  if (ring->count > 0 && sector_of(ring->first) == sector)
    status = count_in(dc, sector, &evicted, &next);
  if (status == 0) status = write_flash(dc, base_of(sector), cleared, sizeof cleared);
  if (status == 0 && dc->port.flash_erase(dc->port.context, base_of(sector)) != 0)
    status = DC_ERR_STORE;
  memcpy(header, magic, sizeof magic);
  dc_put_u32(header + 4, ring->sequence + 1);
  dc_put_u32(header + 8, dc_crc32(header, 8));
  if (status == 0) status = write_flash(dc, base_of(sector), header, sizeof header);
  if (status != 0) return status;
  ring->newest = sector;
  ring->sequence++;
  ring->write_at = SECTOR_HEADER;
  ring->count -= evicted;
  ring->evicted += evicted;
  ring->before = 0;
  ring->first = ring->count > 0 ? next : base_of(sector) + SECTOR_HEADER;
  ring->cursor = ring->first;
  ring->cursor_index = 0;
  return 0;
}

static int write_entry(struct dc *dc, struct dc_bytes content) {
  struct dc_ring *ring = &dc->ring;
  uint8_t header[AT_MARK];
  struct entry entry;
  uint32_t at = base_of(ring->newest) + ring->write_at;
  header[0] = (uint8_t)(content.length >> 8);
  header[1] = (uint8_t)content.length;
  header[2] = (uint8_t)~header[0];
  header[3] = (uint8_t)~header[1];
  uint32_t crc = dc_crc32_more(0, header, 2);
  dc_put_u32(header + AT_CRC, dc_crc32_more(crc, content.data, content.length));
  int status = write_flash(dc, at, header, sizeof header);
  if (status == 0) status = write_flash(dc, at + ENTRY_HEADER, content.data, content.length);
  if (status == 0) status = read_entry(dc, at, &entry);
  if (status != 0) return status;
  if (entry.kind != WHOLE || entry.length != content.length || entry.dropped) return DC_ERR_STORE;
  if (ring->count++ == 0) {
    ring->first = at;
    ring->cursor = at;
    ring->cursor_index = 0;
  }
  ring->write_at += size_of(content.length);
  return 0;
}

int dc_ring_append(struct dc *dc, struct dc_bytes entry, uint32_t *evicted) {
  *evicted = 0;
  if (entry.data == NULL || entry.length == 0 || entry.length > DC_RING_ENTRY_MAX)
    return DC_ERR_ARGUMENT;
  int status = mount(dc);
  if (status != 0) return status;
  if (dc->ring.write_at + size_of(entry.length) >= DC_FLASH_SECTOR)
    status = open_sector(dc);
  if (status == 0) status = write_entry(dc, entry);
  if (status != 0) {
    dc->ring.mounted = 0; /* what the flash holds now is found out again */
    return status;
  }
  *evicted = dc->ring.evicted;
  dc->ring.evicted = 0;
  return 0;
}

/* Puts the cursor on entry `index`, which there is unless flash went bad since the mount. */
static int seek(struct dc *dc, uint32_t index, struct entry *entry) {
  struct dc_ring *ring = &dc->ring;
  if (index < ring->cursor_index) {
    ring->cursor_index = 0;
    ring->cursor = ring->first;
  }
  for (;;) {
    int status = find_entry(dc, &ring->cursor, entry);
    if (status != 0) return status;
    if (entry->kind == BLANK) return DC_ERR_STORE;
    if (ring->cursor_index == index) return 0;
    ring->cursor += size_of(entry->length);
    ring->cursor_index++;
  }
}

int dc_ring_peek(struct dc *dc, uint32_t index, uint8_t *out, size_t *length) {
  struct entry entry;
  *length = 0;
  int status = mount(dc);
  if (status != 0) return status;
  if (index >= dc->ring.count) return DC_ABSENT;
  status = seek(dc, index, &entry);
  if (status == 0) status = read_flash(dc, dc->ring.cursor + ENTRY_HEADER, out, entry.length);
  if (status == 0)
    *length = entry.length;
  else
    dc->ring.mounted = 0;
  return status;
}

int dc_ring_drop(struct dc *dc, uint32_t count) {
  static const uint8_t mark[4] = {0};
  struct dc_ring *ring = &dc->ring;
  struct entry entry;
  int status = mount(dc);
  if (status != 0 || count == 0 || ring->count == 0) return status;
  if (count > ring->count) count = ring->count;
  status = seek(dc, count - 1, &entry);
  if (status == 0) status = write_flash(dc, ring->cursor + AT_MARK, mark, sizeof mark);
  if (status != 0) {
    ring->mounted = 0;
    return status;
  }
  ring->count -= count;
  ring->first = ring->cursor + size_of(entry.length);
  ring->cursor = ring->first;
  ring->cursor_index = 0;
  return 0;
}

int dc_ring_count(struct dc *dc, uint32_t *count) {
  *count = 0;
  int status = mount(dc);
  if (status == 0) *count = dc->ring.count;
  return status;
}

#include "host.h"

uint8_t take_byte(struct input *input) {
  if (input->length == 0) return 0;
  input->length--;
  return *input->data++;
}

struct dc_bytes take(struct input *input, size_t length) {
  struct dc_bytes bytes = {input->data, length < input->length ? length : input->length};
  input->data += bytes.length;
  input->length -= bytes.length;
  return bytes;
}

void take_into(struct input *input, uint8_t *out, size_t length) {
  struct dc_bytes bytes = take(input, length);
  memset(out, 0, length);
  if (bytes.length > 0) memcpy(out, bytes.data, bytes.length);
}

int take_mask(struct input *input, uint8_t *bytes, size_t length) {
  struct dc_bytes mask = take(input, length);
  uint8_t any = 0;
  for (size_t i = 0; i < mask.length; i++) {
    bytes[i] ^= mask.data[i];
    any |= mask.data[i];
  }
  return any != 0;
}

static int fill_random(void *context, uint8_t *out, size_t length) {
  struct host *host = context;
  for (size_t i = 0; i < length; i++) {
    host->seed = host->seed * 6364136223846793005u + 1442695040888963407u;
    out[i] = (uint8_t)(host->seed >> 56);
  }
  return 0;
}

static struct host_file *find(struct host *host, const char *id) {
  for (size_t i = 0; i < HOST_FILES; i++)
    if (host->files[i].present && strcmp(host->files[i].id, id) == 0) return &host->files[i];
  return NULL;
}

static int store_read(void *context, const char *id, uint8_t *out, size_t capacity,
                      size_t *length) {
  const struct host_file *file = find(context, id);
  if (file == NULL) return DC_STORE_ABSENT;
  *length = file->length;
  memcpy(out, file->data, file->length < capacity ? file->length : capacity);
  return 0;
}

static int store_write(void *context, const char *id, const uint8_t *data, size_t length) {
  struct dc_bytes content = {data, length};
  host_put(context, id, content);
  return 0;
}

static int store_erase(void *context, const char *id) {
  struct host_file *file = find(context, id);
  if (file != NULL) file->present = 0;
  return 0;
}

void host_put(struct host *host, const char *id, struct dc_bytes content) {
  struct host_file *file = find(host, id);
  for (size_t i = 0; file == NULL && i < HOST_FILES; i++)
    if (!host->files[i].present) file = &host->files[i];
  MUST(file != NULL && content.length <= HOST_FILE_SIZE && strlen(id) <= DC_STORE_ID_MAX);
  file->present = 1;
  strcpy(file->id, id);
  file->length = content.length;
  if (content.length > 0) memcpy(file->data, content.data, content.length);
}

static int flash_read(void *context, uint32_t offset, uint8_t *out, size_t length) {
  const struct host *host = context;
  MUST(offset <= sizeof host->flash && length <= sizeof host->flash - offset);
  memcpy(out, host->flash + offset, length);
  return 0;
}

/* NOR: a write clears bits. The one that the power goes in clears the first half. */
static int flash_write(void *context, uint32_t offset, const uint8_t *data, size_t length) {
  struct host *host = context;
  MUST(offset <= sizeof host->flash && length <= sizeof host->flash - offset);
  size_t done = host->flash_until == 0 ? length / 2 : length;
  for (size_t i = 0; i < done; i++) host->flash[offset + i] &= data[i];
  if (host->flash_until == 0) return -1;
  host->flash_until--;
  return 0;
}

static int flash_erase(void *context, uint32_t offset) {
  struct host *host = context;
  MUST(offset % DC_FLASH_SECTOR == 0 && offset < sizeof host->flash);
  size_t done = host->flash_until == 0 ? DC_FLASH_SECTOR / 2 : DC_FLASH_SECTOR;
  memset(host->flash + offset, 0xff, done);
  if (host->flash_until == 0) return -1;
  host->flash_until--;
  return 0;
}

void host_init(struct host *host) {
  memset(host, 0, sizeof *host);
  host->seed = 1;
  memset(host->flash, 0xff, sizeof host->flash);
  host->flash_until = UINT32_MAX;
}

struct dc_port host_port(struct host *host) {
  struct dc_port port;
  memset(&port, 0, sizeof port);
  port.context = host;
  port.random = fill_random;
  port.store_read = store_read;
  port.store_write = store_write;
  port.store_erase = store_erase;
  port.flash_read = flash_read;
  port.flash_write = flash_write;
  port.flash_erase = flash_erase;
  port.flash_sectors = HOST_SECTORS;
  return port;
}

dc_handle import_aes(struct dc *dc, const uint8_t secret[DC_KEY_SIZE], uint32_t usage) {
  dc_handle key;
  struct dc_slot *slot = dc_slot_claim(dc, DC_KIND_AES128, usage);
  MUST(slot != NULL);
  memcpy(slot->secret, secret, DC_KEY_SIZE);
  MUST(dc_slot_settle(dc, slot, 0, &key) == 0);
  return key;
}

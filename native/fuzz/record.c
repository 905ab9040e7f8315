/*
 * Records over any two slots: they are read or refused, and what is written then is read.
 *   mode, size of slot a, slot a, size of the new content, new content, slot b
 */
#include "host.h"

static const struct dc_bytes id = {(const uint8_t *)"x", 1};

/* So that more than noise comes through: right head, length and CRC around any content. */
static void fix(struct host_file *file) {
  if (file->length < DC_RECORD_OVERHEAD) return;
  size_t content = file->length - DC_RECORD_OVERHEAD;
  memcpy(file->data, "cfrc\1", 5);
  file->data[9] = (uint8_t)(content >> 8);
  file->data[10] = (uint8_t)content;
  dc_put_u32(file->data + file->length - 4, dc_crc32(file->data, file->length - 4));
}

static void start(struct dc *dc, struct host *host) {
  struct dc_port port = host_port(host);
  dc_init(dc, &port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct host host;
  static struct dc dc;
  static uint8_t out[DC_RECORD_MAX];
  struct input input = {data, size};
  size_t length;
  host_init(&host);
  uint8_t mode = take_byte(&input);
  host_put(&host, "r-x-a", take(&input, take_byte(&input)));
  struct dc_bytes content = take(&input, take_byte(&input));
  host_put(&host, "r-x-b", take(&input, HOST_FILE_SIZE));
  if (mode & 1) fix(&host.files[0]);
  if (mode & 2) fix(&host.files[1]);
  if (mode & 4) host.files[mode >> 3 & 1].present = 0;
  start(&dc, &host);
  int status = dc_read_record(&dc, id, out, &length);
  MUST(status == 0 || status == DC_ABSENT || status == DC_ERR_STORE);
  MUST(status == 0 || length == 0);
  status = dc_write_record(&dc, id, content);
  MUST(status == 0 || status == DC_ERR_SEQUENCE); /* the last sequence number is taken */
  if (status == 0) {
    dc_free(&dc);
    start(&dc, &host);
    MUST(dc_read_record(&dc, id, out, &length) == 0);
    MUST(length == content.length && memcmp(out, dc_data(content), length) == 0);
    MUST(dc_erase_record(&dc, id) == 0);
    MUST(dc_read_record(&dc, id, out, &length) == DC_ABSENT);
  }
  dc_free(&dc);
  return 0;
}

/*
 * dc_verify_message: bytes as they are, and a genuine signature with masks.
 *   mode, size of the message, message, then public key and signature, or masks over them
 */
#include "host.h"

struct scene {
  struct host host;
  struct dc dc;
  dc_handle device;
  uint8_t public_key[DC_POINT_SIZE];
};

static struct scene *scene(void) {
  static struct scene s;
  static int ready;
  if (ready) return &s;
  host_init(&s.host);
  struct dc_port port = host_port(&s.host);
  dc_init(&s.dc, &port);
  MUST(dc_open_device_key(&s.dc, &s.device) == 0);
  MUST(dc_export_public_key(&s.dc, s.device, s.public_key) == 0);
  ready = 1;
  return &s;
}

/* Of a changed signature only (r, n - s) verifies, so r at least is the same. */
static void genuine(struct scene *s, struct input *input, struct dc_bytes message) {
  uint8_t signature[DC_SIGNATURE_SIZE], changed[DC_SIGNATURE_SIZE], point[DC_POINT_SIZE];
  MUST(dc_sign_message(&s->dc, s->device, message, signature) == 0);
  memcpy(changed, signature, sizeof changed);
  memcpy(point, s->public_key, sizeof point);
  int signature_changed = take_mask(input, changed, sizeof changed);
  int point_changed = take_mask(input, point, sizeof point);
  int status = dc_verify_message(&s->dc, point, message, changed);
  MUST(status == 0 || status == DC_ERR_SIGNATURE || status == DC_ERR_ARGUMENT);
  if (!signature_changed && !point_changed) MUST(status == 0);
  if (!point_changed) MUST(status != DC_ERR_ARGUMENT);
  if (status == 0) MUST(!point_changed && memcmp(signature, changed, DC_SCALAR_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct scene *s = scene();
  struct input input = {data, size};
  uint8_t mode = take_byte(&input);
  struct dc_bytes message = take(&input, take_byte(&input));
  if (mode & 1) {
    genuine(s, &input, message);
  } else {
    uint8_t point[DC_POINT_SIZE], signature[DC_SIGNATURE_SIZE];
    take_into(&input, point, sizeof point);
    take_into(&input, signature, sizeof signature);
    int status = dc_verify_message(&s->dc, point, message, signature);
    MUST(status == DC_ERR_SIGNATURE || status == DC_ERR_ARGUMENT);
  }
  return 0;
}

/*
 * dc_key_agreement_unwrap: points and wraps as they are, and a genuine one with a mask.
 * What unwraps is the key that was wrapped, or the bytes were made by who knows the key.
 *   mode, size of the context, context, then point and wrap, or masks over them
 */
#include "host.h"

struct scene {
  struct host host;
  struct dc dc;
  dc_handle device, cargo;
  uint8_t public_key[DC_POINT_SIZE];
  uint8_t agreed[DC_AGREED_SIZE];
};

static const uint8_t secret[DC_KEY_SIZE] = {7, 7, 7};

static int unwrap(struct scene *s, struct dc_bytes point, struct dc_bytes context,
                  const uint8_t *wrapped) {
  dc_handle key;
  int status = dc_key_agreement_unwrap(&s->dc, s->device, point, context, wrapped,
                                       DC_USAGE_DECRYPT, &key);
  MUST(status == 0 || status == DC_ERR_ARGUMENT || status == DC_ERR_DECRYPT);
  MUST((key != 0) == (status == 0));
  if (status != 0) return status;
  const struct dc_slot *made = dc_slot_find(&s->dc, key, DC_KIND_AES128, DC_USAGE_DECRYPT);
  MUST(memcmp(made->secret, secret, DC_KEY_SIZE) == 0);
  MUST(dc_destroy_key(&s->dc, key) == 0);
  return 0;
}

/* The device's pair costs more than a run: made once. */
static struct scene *scene(void) {
  static struct scene s;
  static int ready;
  if (ready) return &s;
  host_init(&s.host);
  struct dc_port port = host_port(&s.host);
  dc_init(&s.dc, &port);
  MUST(dc_open_device_key(&s.dc, &s.device) == 0);
  MUST(dc_export_public_key(&s.dc, s.device, s.public_key) == 0);
  s.cargo = import_aes(&s.dc, secret, DC_USAGE_CARRIED);
  ready = 1;
  return &s;
}

/* Genuine: with nothing changed it opens. x alone counts, so another y may open it too. */
static void genuine(struct scene *s, struct input *input, struct dc_bytes context, int compressed) {
  uint8_t *wrapped = s->agreed + DC_POINT_SIZE;
  struct dc_bytes point = {s->agreed, compressed ? DC_COMPRESSED_POINT_SIZE : DC_POINT_SIZE};
  MUST(dc_key_agreement_wrap(&s->dc, s->public_key, context, s->cargo, s->agreed) == 0);
  uint8_t sign = s->agreed[DC_POINT_SIZE - 1] & 1u;
  if (compressed) s->agreed[0] = (uint8_t)(2u + sign);
  int wrap_changed = take_mask(input, wrapped, DC_WRAPPED_SIZE);
  int point_changed = take_mask(input, s->agreed, point.length);
  int status = unwrap(s, point, context, wrapped);
  if (!wrap_changed && !point_changed) MUST(status == 0);
  if (wrap_changed && !point_changed) MUST(status == DC_ERR_DECRYPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct scene *s = scene();
  struct input input = {data, size};
  uint8_t mode = take_byte(&input);
  struct dc_bytes context = take(&input, take_byte(&input));
  if (mode & 1) {
    genuine(s, &input, context, mode & 2);
  } else {
    uint8_t wrapped[DC_WRAPPED_SIZE];
    take_into(&input, wrapped, sizeof wrapped);
    unwrap(s, take(&input, 70), context, wrapped);
  }
  return 0;
}

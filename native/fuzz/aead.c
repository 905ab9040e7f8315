/*
 * dc_aead_decrypt and dc_aead_decrypt_key: bytes as they are, and what was sealed, with a
 * mask over it. Opened is what nothing was changed in, and nothing else.
 *   nonce, mode, size of the AAD, size of the text, prefix length, AAD, text, mask
 */
#include "host.h"

static const uint8_t secret[DC_KEY_SIZE] = {1, 2, 3};

struct scene {
  struct host host;
  struct dc dc;
  dc_handle opener;
  uint8_t nonce[DC_NONCE_SIZE];
  struct dc_bytes aad;
  uint8_t sealed[DC_INPUT_MAX + DC_TAG_SIZE], out[DC_INPUT_MAX];
};

static int is_zero(const uint8_t *bytes, size_t length) {
  uint8_t any = 0;
  for (size_t i = 0; i < length; i++) any |= bytes[i];
  return any == 0;
}

static void open_text(struct scene *s, struct dc_bytes sealed, struct dc_bytes text, int changed) {
  memset(s->out, 0xaa, sizeof s->out);
  int status = dc_aead_decrypt(&s->dc, s->opener, s->nonce, s->aad, sealed, s->out);
  MUST(status == (changed ? DC_ERR_DECRYPT : 0));
  if (changed) MUST(sealed.length < DC_TAG_SIZE || is_zero(s->out, sealed.length - DC_TAG_SIZE));
  else MUST(memcmp(s->out, dc_data(text), text.length) == 0);
}

static void open_key(struct scene *s, struct dc_bytes sealed, struct dc_bytes text,
                     size_t prefix_length, int changed) {
  uint8_t prefix[DC_PREFIX_MAX];
  dc_handle key;
  int status = dc_aead_decrypt_key(&s->dc, s->opener, s->nonce, s->aad, sealed, prefix_length,
                                   DC_USAGE_DECRYPT, prefix, &key);
  if (status == 0) {
    const uint8_t *made = dc_slot_find(&s->dc, key, DC_KIND_AES128, DC_USAGE_DECRYPT)->secret;
    MUST(!changed && text.length == prefix_length + DC_KEY_SIZE);
    MUST(memcmp(prefix, text.data, prefix_length) == 0);
    MUST(memcmp(made, text.data + prefix_length, DC_KEY_SIZE) == 0);
  } else if (prefix_length > DC_PREFIX_MAX) {
    MUST(status == DC_ERR_ARGUMENT && key == 0);
  } else {
    MUST(status == DC_ERR_FORM || status == DC_ERR_DECRYPT);
    MUST(key == 0 && (changed || text.length != prefix_length + DC_KEY_SIZE));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct scene s;
  struct input input = {data, size};
  host_init(&s.host);
  struct dc_port port = host_port(&s.host);
  dc_init(&s.dc, &port);
  s.opener = import_aes(&s.dc, secret, DC_USAGE_DECRYPT);
  dc_handle sealer = import_aes(&s.dc, secret, DC_USAGE_ENCRYPT);
  take_into(&input, s.nonce, sizeof s.nonce);
  uint8_t mode = take_byte(&input), aad_size = take_byte(&input), text_size = take_byte(&input);
  uint8_t prefix_length = take_byte(&input);
  s.aad = take(&input, aad_size);
  struct dc_bytes text = take(&input, text_size);
  MUST(dc_aead_encrypt(&s.dc, sealer, s.nonce, s.aad, text, s.sealed) == 0);
  struct dc_bytes sealed = {s.sealed, text.length + DC_TAG_SIZE};
  int changed = take_mask(&input, s.sealed, sealed.length);
  if (mode & 1) {
    sealed = input.length > 0 ? take(&input, DC_INPUT_MAX) : text; /* never the key's */
    changed = 1;
  }
  open_text(&s, sealed, text, changed);
  open_key(&s, sealed, text, prefix_length, changed);
  dc_free(&s.dc);
  return 0;
}

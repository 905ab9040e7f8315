#include "suite.h"

/*
 * Each allocation of an operation fails in turn: DC_ERR_MEMORY, never a verdict ("wrong
 * signature" would be one), nothing is left behind, and the next try succeeds. All inputs
 * are good, so 0 is right as well: some of mbedTLS's allocations it can do without.
 */

#include <stdlib.h>

/* Linked with --wrap=calloc, so that mbedTLS asks here. */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static unsigned calls, fails_at;

void *__wrap_calloc(size_t count, size_t size) {
  return ++calls == fails_at ? NULL : __real_calloc(count, size);
}

struct memory_scene {
  struct device device;
  dc_handle device_key, carrier, opener, cargo, sequenced;
  uint8_t public_key[DC_POINT_SIZE];
  uint8_t signature[DC_SIGNATURE_SIZE], agreed[DC_AGREED_SIZE];
  uint8_t sealed[4 + DC_TAG_SIZE], carried[4 + DC_KEY_SIZE + DC_TAG_SIZE];
};

static const uint8_t nonce[DC_NONCE_SIZE] = {3};

typedef int (*memory_operation)(struct memory_scene *scene);

static int try_sign(struct memory_scene *s) {
  return dc_sign_message(&s->device.dc, s->device_key, TEXT("message"), s->signature);
}

static int try_request(struct memory_scene *s) {
  uint8_t request[DC_CSR_MAX];
  size_t length;
  return dc_write_csr(&s->device.dc, s->device_key, request, &length);
}

static int try_pair(struct memory_scene *s) {
  dc_handle key;
  int status = dc_generate_key_pair(&s->device.dc, DC_USAGE_DERIVE, &key);
  return status == 0 ? dc_destroy_key(&s->device.dc, key) : status;
}

static int try_verify(struct memory_scene *s) {
  return dc_verify_message(&s->device.dc, s->public_key, TEXT("message"), s->signature);
}

static int try_wrap(struct memory_scene *s) {
  return dc_key_agreement_wrap(&s->device.dc, s->public_key, TEXT("c"), s->cargo, s->agreed);
}

static int unwrap(struct memory_scene *s, const uint8_t *point, size_t length) {
  struct dc_bytes ephemeral = {point, length};
  dc_handle key;
  int status = dc_key_agreement_unwrap(&s->device.dc, s->device_key, ephemeral, TEXT("c"),
                                       s->agreed + DC_POINT_SIZE, DC_USAGE_DECRYPT, &key);
  return status == 0 ? dc_destroy_key(&s->device.dc, key) : status;
}

static int try_unwrap(struct memory_scene *s) { return unwrap(s, s->agreed, DC_POINT_SIZE); }

static int try_unwrap_compressed(struct memory_scene *s) {
  uint8_t compressed[DC_COMPRESSED_POINT_SIZE];
  memcpy(compressed, s->agreed, sizeof compressed);
  compressed[0] = (uint8_t)(2u + (s->agreed[DC_POINT_SIZE - 1] & 1u));
  return unwrap(s, compressed, sizeof compressed);
}

static int try_encrypt(struct memory_scene *s) {
  return dc_aead_encrypt(&s->device.dc, s->opener, nonce, TEXT("a"), TEXT("text"), s->sealed);
}

static int try_decrypt(struct memory_scene *s) {
  struct dc_bytes sealed = {s->sealed, sizeof s->sealed};
  uint8_t out[4];
  return dc_aead_decrypt(&s->device.dc, s->opener, nonce, TEXT("a"), sealed, out);
}

/* A fresh one each time: its WRAP use is spent even when the encryption fails. */
static int try_encrypt_key(struct memory_scene *s) {
  if (s->carrier != 0) dc_destroy_key(&s->device.dc, s->carrier);
  int status =
      dc_generate_key(&s->device.dc, DC_USAGE_WRAP | DC_USAGE_DECRYPT, &s->carrier);
  if (status != 0) return status;
  return dc_aead_encrypt_key(&s->device.dc, s->carrier, nonce, TEXT("a"), TEXT("head"), s->cargo,
                             s->carried);
}

static int try_decrypt_key(struct memory_scene *s) {
  struct dc_bytes sealed = {s->carried, sizeof s->carried};
  uint8_t prefix[4];
  dc_handle key;
  int status = dc_aead_decrypt_key(&s->device.dc, s->carrier, nonce, TEXT("a"), sealed, 4,
                                   DC_USAGE_DECRYPT, prefix, &key);
  return status == 0 ? dc_destroy_key(&s->device.dc, key) : status;
}

/* A number whose encryption failed is spent all the same: the retry takes the next. */
static int try_sequence(struct memory_scene *s) {
  uint8_t out[4 + DC_TAG_SIZE];
  uint32_t sequence;
  int status = dc_reserve_sequence(&s->device.dc, s->sequenced, &sequence);
  if (status != 0) return status;
  return dc_aead_encrypt_sequence(&s->device.dc, s->sequenced, sequence, TEXT("a"), TEXT("text"),
                                  out);
}

static int try_derive(struct memory_scene *s) {
  dc_handle key;
  int status = dc_derive_key(&s->device.dc, s->sequenced, TEXT("i"), DC_USAGE_DECRYPT, &key);
  return status == 0 ? dc_destroy_key(&s->device.dc, key) : status;
}

static const memory_operation operations[] = {
    try_sign,    try_verify,      try_wrap,        try_unwrap,   try_unwrap_compressed, try_encrypt,
    try_decrypt, try_encrypt_key, try_decrypt_key, try_sequence, try_derive,            try_request,
    try_pair};
#define OPERATIONS (sizeof operations / sizeof operations[0])

static void scene_start(struct suite *suite, struct memory_scene *s) {
  const uint32_t session = DC_USAGE_ENCRYPT_SEQUENCE | DC_USAGE_DERIVE;
  device_start(&s->device, 90);
  struct dc *dc = &s->device.dc;
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &s->device_key));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, s->device_key, s->public_key));
  s->carrier = 0;
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_ENCRYPT | DC_USAGE_DECRYPT, &s->opener));
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_CARRIED, &s->cargo));
  CHECK_STATUS(suite, 0, dc_generate_key(dc, session, &s->sequenced));
  /* once each in this order, so that every input is there */
  for (size_t i = 0; i < OPERATIONS; i++) CHECK_STATUS(suite, 0, operations[i](s));
}

/* The arithmetic allocates the same again and again: of the middle, one in so many will do. */
#define EDGE 60u
#define ONE_IN 41u

/* Fails the first, second, … allocation of an operation in turn; returns how many there are. */
static unsigned fail_each(struct suite *suite, struct memory_scene *s, memory_operation operation) {
  calls = 0;
  CHECK_STATUS(suite, 0, operation(s));
  unsigned all = calls;
  unsigned taken = taken_slots(&s->device);
  for (unsigned n = 1; n <= all; n++) {
    if (n > EDGE && n + EDGE < all && n % ONE_IN != 0) continue;
    calls = 0;
    fails_at = n;
    int status = operation(s);
    fails_at = 0;
    if (status != 0) CHECK_STATUS(suite, DC_ERR_MEMORY, status);
    CHECK(suite, taken_slots(&s->device) <= taken && free_slots_are_empty(&s->device));
  }
  CHECK_STATUS(suite, 0, operation(s));
  return all;
}

/* The curve is loaded anew for each try, and the device key with it. */
static int try_open(struct memory_scene *s) {
  device_restart(&s->device);
  return dc_open_device_key(&s->device.dc, &s->device_key);
}

void test_memory(struct suite *suite) {
  struct memory_scene scene;
  scene_start(suite, &scene);
  for (size_t i = 0; i < OPERATIONS; i++) CHECK(suite, fail_each(suite, &scene, operations[i]) > 0);
  device_restart(&scene.device);
  CHECK(suite, fail_each(suite, &scene, try_open) > 0);
  device_stop(&scene.device);
}

#include "suite.h"

/* Every operation under a key with every flag but the one it needs: only that one opens it. */

#define FLAGS 7u

struct scene {
  struct device device;
  dc_handle device_key;
  dc_handle carried; /* a CARRIED key to put into others */
  uint8_t public_key[DC_POINT_SIZE];
};

static const uint8_t nonce[DC_NONCE_SIZE] = {1};

static void scene_start(struct suite *suite, struct scene *scene) {
  device_start(&scene->device, 20);
  struct dc *dc = &scene->device.dc;
  CHECK_STATUS(suite, 0, dc_open_device_key(dc, &scene->device_key));
  CHECK_STATUS(suite, 0, dc_export_public_key(dc, scene->device_key, scene->public_key));
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_CARRIED, &scene->carried));
}

typedef int (*operation)(struct scene *scene, dc_handle key);

static int use_encrypt(struct scene *scene, dc_handle key) {
  uint8_t out[8 + DC_TAG_SIZE];
  return dc_aead_encrypt(&scene->device.dc, key, nonce, TEXT("aad"), TEXT("8 bytes."), out);
}

/* Forged, so that a permitted use ends in DC_ERR_DECRYPT. */
static int use_decrypt(struct scene *scene, dc_handle key) {
  uint8_t out[4];
  return dc_aead_decrypt(&scene->device.dc, key, nonce, TEXT("aad"), TEXT("20 bytes of nonsense"),
                         out);
}

static int use_decrypt_key(struct scene *scene, dc_handle key) {
  uint8_t prefix[4];
  dc_handle out;
  return dc_aead_decrypt_key(&scene->device.dc, key, nonce, TEXT("aad"),
                             TEXT("36 bytes, which are 4 and 16 and 16."), 4, DC_USAGE_DECRYPT,
                             prefix, &out);
}

static int use_wrap(struct scene *scene, dc_handle key) {
  uint8_t out[3 + DC_KEY_SIZE + DC_TAG_SIZE];
  return dc_aead_encrypt_key(&scene->device.dc, key, nonce, TEXT("aad"), TEXT("pre"),
                             scene->carried, out);
}

static int use_carried(struct scene *scene, dc_handle key) {
  uint8_t out[3 + DC_KEY_SIZE + DC_TAG_SIZE];
  struct dc *dc = &scene->device.dc;
  dc_handle carrier;
  int status = dc_generate_key(dc, DC_USAGE_WRAP, &carrier);
  if (status != 0) return status;
  status = dc_aead_encrypt_key(dc, carrier, nonce, TEXT("aad"), TEXT("pre"), key, out);
  dc_destroy_key(dc, carrier);
  return status;
}

static int use_agreement(struct scene *scene, dc_handle key) {
  uint8_t out[DC_AGREED_SIZE];
  return dc_key_agreement_wrap(&scene->device.dc, scene->public_key, TEXT("context"), key, out);
}

static int use_derive(struct scene *scene, dc_handle key) {
  dc_handle derived;
  int status =
      dc_derive_key(&scene->device.dc, key, TEXT("info"), DC_USAGE_DECRYPT, &derived);
  return status == 0 ? dc_destroy_key(&scene->device.dc, derived) : status;
}

static int use_base_iv(struct scene *scene, dc_handle key) {
  uint8_t out[DC_NONCE_SIZE];
  return dc_export_base_iv(&scene->device.dc, key, out);
}

static int use_sequence(struct scene *scene, dc_handle key) {
  uint8_t out[DC_TAG_SIZE];
  uint32_t sequence;
  int status = dc_reserve_sequence(&scene->device.dc, key, &sequence);
  struct dc_bytes nothing = {NULL, 0};
  if (status != 0) {
    int other = dc_aead_encrypt_sequence(&scene->device.dc, key, 1, nothing, nothing, out);
    return other == DC_ERR_KEY ? status : other;
  }
  return dc_aead_encrypt_sequence(&scene->device.dc, key, sequence, nothing, nothing, out);
}

/* Never permitted to an AES key, whatever its flags. */
static int use_as_pair(struct scene *scene, dc_handle key) {
  uint8_t out[DC_POINT_SIZE];
  static const uint8_t wrapped[DC_WRAPPED_SIZE] = {0};
  struct dc_bytes point = {scene->public_key, DC_POINT_SIZE};
  dc_handle unwrapped;
  if (dc_export_public_key(&scene->device.dc, key, out) != DC_ERR_KEY) return 0;
  if (dc_sign_message(&scene->device.dc, key, TEXT("m"), out) != DC_ERR_KEY) return 0;
  return dc_key_agreement_unwrap(&scene->device.dc, key, point, TEXT("c"), wrapped,
                                 DC_USAGE_DECRYPT, &unwrapped);
}

struct rule {
  operation use;
  uint32_t needs;  /* 0: no flag permits it */
  uint32_t forbids; /* a flag that takes the permission away */
  int permitted;   /* what a permitted use returns */
};

static const struct rule rules[] = {
    {use_encrypt, DC_USAGE_ENCRYPT, 0, 0},
    {use_decrypt, DC_USAGE_DECRYPT, DC_USAGE_WRAP, DC_ERR_DECRYPT},
    {use_decrypt_key, DC_USAGE_DECRYPT, 0, DC_ERR_DECRYPT},
    {use_wrap, DC_USAGE_WRAP, 0, 0},
    {use_carried, DC_USAGE_CARRIED, 0, 0},
    {use_agreement, DC_USAGE_CARRIED, 0, 0},
    {use_derive, DC_USAGE_DERIVE, 0, 0},
    {use_base_iv, DC_USAGE_ENCRYPT_SEQUENCE, 0, 0},
    {use_sequence, DC_USAGE_ENCRYPT_SEQUENCE, 0, 0},
    {use_as_pair, 0, 0, 0},
};

static int may_be_made(uint32_t usage) {
  uint32_t nonces = DC_USAGE_ENCRYPT | DC_USAGE_WRAP;
  if (usage == 0 || (usage & DC_USAGE_SIGN) != 0) return 0;
  if ((usage & nonces) == nonces) return 0;
  return (usage & DC_USAGE_ENCRYPT_SEQUENCE) == 0 || (usage & nonces) == 0;
}

static void matrix(struct suite *suite) {
  struct scene scene;
  scene_start(suite, &scene);
  for (uint32_t usage = 0; usage < 1u << FLAGS; usage++) {
    dc_handle key;
    int made = dc_generate_key(&scene.device.dc, usage, &key);
    CHECK_STATUS(suite, may_be_made(usage) ? 0 : DC_ERR_ARGUMENT, made);
    if (made != 0) continue;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
      const struct rule *rule = &rules[i];
      int permitted = (usage & rule->needs) != 0 && (usage & rule->forbids) == 0;
      CHECK_STATUS(suite, permitted ? rule->permitted : DC_ERR_KEY, rule->use(&scene, key));
    }
    CHECK_STATUS(suite, 0, dc_destroy_key(&scene.device.dc, key));
  }
  CHECK(suite, taken_slots(&scene.device) == 2);
  for (size_t i = 0; i < sizeof rules / sizeof rules[0] - 1; i++) /* all but use_as_pair */
    CHECK_STATUS(suite, DC_ERR_KEY, rules[i].use(&scene, scene.device_key));
  device_stop(&scene.device);
}

static void refused_flags(struct suite *suite) {
  struct scene scene;
  dc_handle session, out;
  scene_start(suite, &scene);
  struct dc *dc = &scene.device.dc;
  const uint32_t unknown[] = {128, 256 + DC_USAGE_DERIVE, 0x80000000u, 0xffffffffu};
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
    CHECK_STATUS(suite, DC_ERR_ARGUMENT, dc_generate_key(dc, unknown[i], &out));
  /* One key that is counted in two places would repeat a nonce. */
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_DERIVE | DC_USAGE_WRAP, &session));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT,
               dc_derive_key(dc, session, TEXT("i"), DC_USAGE_ENCRYPT_SEQUENCE, &out));
  /* A key cannot carry itself. */
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_WRAP | DC_USAGE_CARRIED, &session));
  uint8_t carried[DC_KEY_SIZE + DC_TAG_SIZE];
  struct dc_bytes nothing = {NULL, 0};
  CHECK_STATUS(suite, DC_ERR_KEY,
               dc_aead_encrypt_key(dc, session, nonce, nothing, nothing, session, carried));
  device_stop(&scene.device);
}

/* One nonce over two plaintexts would give the carried key: a WRAP key has one use. */
static void wrap_once(struct suite *suite) {
  struct scene scene;
  dc_handle carrier, other, opened;
  uint8_t out[3 + DC_KEY_SIZE + DC_TAG_SIZE], second[3 + DC_KEY_SIZE + DC_TAG_SIZE] = {0};
  uint8_t prefix[3], plain[3 + DC_KEY_SIZE];
  const uint8_t other_nonce[DC_NONCE_SIZE] = {2};
  scene_start(suite, &scene);
  struct dc *dc = &scene.device.dc;
  struct dc_bytes aad = TEXT("aad"), nothing = {NULL, 0}, sealed = {out, sizeof out};
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_WRAP | DC_USAGE_DECRYPT, &carrier));
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_CARRIED, &other));
  /* What is refused spends nothing. */
  CHECK_STATUS(suite, DC_ERR_KEY,
               dc_aead_encrypt_key(dc, carrier, nonce, aad, TEXT("pre"), carrier, second));
  CHECK_STATUS(suite, 0,
               dc_aead_encrypt_key(dc, carrier, nonce, aad, TEXT("pre"), scene.carried, out));
  CHECK_STATUS(suite, DC_ERR_KEY,
               dc_aead_encrypt_key(dc, carrier, nonce, aad, nothing, scene.carried, second));
  CHECK_STATUS(suite, DC_ERR_KEY,
               dc_aead_encrypt_key(dc, carrier, other_nonce, aad, TEXT("pre"), other, second));
  CHECK(suite, second[0] == 0 && second[DC_KEY_SIZE] == 0);
  /* It opens what it has sealed, and still never as plain bytes. */
  CHECK_STATUS(suite, 0, dc_aead_decrypt_key(dc, carrier, nonce, aad, sealed, 3, DC_USAGE_DECRYPT,
                                             prefix, &opened));
  CHECK_STATUS(suite, DC_ERR_KEY, dc_aead_decrypt(dc, carrier, nonce, aad, sealed, plain));
  /* The next key in its slot is a fresh one. */
  CHECK_STATUS(suite, 0, dc_destroy_key(dc, carrier));
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_WRAP, &carrier));
  CHECK_STATUS(suite, 0,
               dc_aead_encrypt_key(dc, carrier, nonce, aad, TEXT("pre"), scene.carried, out));
  CHECK_STATUS(suite, 0, dc_generate_key(dc, DC_USAGE_DERIVE, &other));
  CHECK_STATUS(suite, DC_ERR_ARGUMENT,
               dc_derive_key(dc, other, TEXT("i"), DC_USAGE_ENCRYPT | DC_USAGE_WRAP, &opened));
  device_stop(&scene.device);
}

void test_usage(struct suite *suite) {
  wrap_once(suite);
  matrix(suite);
  refused_flags(suite);
}

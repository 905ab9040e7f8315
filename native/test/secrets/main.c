/*
 * secrets OPERATION: one operation under valgrind with all that is secret marked as
 * undefined. Valgrind then names every branch and every address that depends on a
 * secret, which is what a clock or a cache could tell others.
 */

#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "internal.h"
#include "port_test.h"

static const uint8_t nonce[DC_NONCE_SIZE] = {9};
static const struct dc_bytes aad = {(const uint8_t *)"aad", 3};
static const struct dc_bytes text = {(const uint8_t *)"some text", 9};

struct probe {
  struct dc_test_port test;
  struct dc_port inner; /* what `random` below asks */
  struct dc dc;
  int random_is_secret;
  dc_handle device, carrier, cargo, session;
  uint8_t public_key[DC_POINT_SIZE];
  uint8_t agreed[DC_AGREED_SIZE], sealed[9 + DC_TAG_SIZE];
  uint8_t carried[4 + DC_KEY_SIZE + DC_TAG_SIZE];
};

static int fill_random(void *context, uint8_t *out, size_t length) {
  struct probe *probe = context;
  int status = probe->inner.random(probe->inner.context, out, length);
  if (probe->random_is_secret) VALGRIND_MAKE_MEM_UNDEFINED(out, length);
  return status;
}

static int store_read(void *context, const char *id, uint8_t *out, size_t capacity,
                      size_t *length) {
  struct probe *probe = context;
  return probe->inner.store_read(probe->inner.context, id, out, capacity, length);
}

static int store_write(void *context, const char *id, const uint8_t *data, size_t length) {
  struct probe *probe = context;
  return probe->inner.store_write(probe->inner.context, id, data, length);
}

static int sleep_keep(void *context, const uint8_t *data, size_t length) {
  struct probe *probe = context;
  return probe->inner.sleep_keep(probe->inner.context, data, length);
}

static int sleep_take(void *context, uint8_t *out, size_t capacity, size_t *length) {
  struct probe *probe = context;
  return probe->inner.sleep_take(probe->inner.context, out, capacity, length);
}

static int store_erase(void *context, const char *id) {
  struct probe *probe = context;
  return probe->inner.store_erase(probe->inner.context, id);
}

/* From here on every key in a slot is secret, and so is what the random source gives. */
static void hide(struct probe *probe) {
  for (size_t i = 0; i < DC_SLOTS; i++)
    VALGRIND_MAKE_MEM_UNDEFINED(probe->dc.slots[i].secret, DC_SCALAR_SIZE);
  probe->random_is_secret = 1;
}

static int sign(struct probe *probe) {
  uint8_t signature[DC_SIGNATURE_SIZE];
  hide(probe);
  return dc_sign_message(&probe->dc, probe->device, text, signature);
}

static int generate(struct probe *probe) {
  dc_handle key;
  hide(probe);
  return dc_generate_key_pair(&probe->dc, DC_USAGE_DERIVE, &key);
}

static int agreement_wrap(struct probe *probe) {
  hide(probe);
  return dc_key_agreement_wrap(&probe->dc, probe->public_key, aad, probe->cargo, probe->agreed);
}

static int agreement_unwrap(struct probe *probe) {
  struct dc_bytes point = {probe->agreed, DC_POINT_SIZE};
  dc_handle key;
  hide(probe);
  return dc_key_agreement_unwrap(&probe->dc, probe->device, point, aad,
                                 probe->agreed + DC_POINT_SIZE, DC_USAGE_DECRYPT, &key);
}

static int encrypt(struct probe *probe) {
  uint8_t out[9 + DC_TAG_SIZE];
  hide(probe);
  return dc_aead_encrypt(&probe->dc, probe->session, nonce, aad, text, out);
}

static int decrypt(struct probe *probe) {
  struct dc_bytes sealed = {probe->sealed, sizeof probe->sealed};
  uint8_t out[9];
  hide(probe);
  return dc_aead_decrypt(&probe->dc, probe->session, nonce, aad, sealed, out);
}

static int encrypt_key(struct probe *probe) {
  struct dc_bytes prefix = {nonce, 4};
  uint8_t out[sizeof probe->carried];
  hide(probe);
  return dc_aead_encrypt_key(&probe->dc, probe->carrier, nonce, aad, prefix, probe->cargo, out);
}

static int decrypt_key(struct probe *probe) {
  struct dc_bytes sealed = {probe->carried, sizeof probe->carried};
  uint8_t prefix[4];
  dc_handle key;
  hide(probe);
  return dc_aead_decrypt_key(&probe->dc, probe->carrier, nonce, aad, sealed, sizeof prefix,
                             DC_USAGE_DECRYPT, prefix, &key);
}

static int derive(struct probe *probe) {
  dc_handle key;
  hide(probe);
  return dc_derive_key(&probe->dc, probe->session, aad, DC_USAGE_DECRYPT, &key);
}

static int generate_aes(struct probe *probe) {
  dc_handle key;
  hide(probe);
  return dc_generate_key(&probe->dc, DC_USAGE_ENCRYPT_SEQUENCE, &key);
}

/* Writes and reads back the private key with the counter. */
static int next_counter(struct probe *probe) {
  uint32_t counter;
  hide(probe);
  return dc_next_device_counter(&probe->dc, &counter);
}

/* A boot: the private key as it comes from the store (key_record.c, version 1). */
static int open_key(struct probe *probe) {
  static const char *const slots[] = {"device-a", "device-b"};
  struct dc_port port = probe->dc.port;
  dc_handle key;
  for (size_t i = 0; i < 2; i++)
    VALGRIND_MAKE_MEM_UNDEFINED(dc_test_file(&probe->test, slots[i])->data + 17, DC_SCALAR_SIZE);
  dc_init(&probe->dc, &port);
  probe->random_is_secret = 1;
  return dc_open_device_key(&probe->dc, &key);
}

static int keep_session(struct probe *probe) {
  dc_handle key;
  int status = dc_generate_key(&probe->dc, DC_USAGE_ENCRYPT_SEQUENCE, &key);
  hide(probe);
  return status == 0 ? dc_keep_session(&probe->dc, key) : status;
}

static int resume_session(struct probe *probe) {
  dc_handle key;
  int status = keep_session(probe);
  return status == 0 ? dc_resume_session(&probe->dc, &key) : status;
}

static const struct {
  const char *name;
  int (*run)(struct probe *probe);
} operations[] = {{"sign", sign},
                  {"generate-pair", generate},
                  {"agreement-wrap", agreement_wrap},
                  {"agreement-unwrap", agreement_unwrap},
                  {"encrypt", encrypt},
                  {"decrypt", decrypt},
                  {"encrypt-key", encrypt_key},
                  {"decrypt-key", decrypt_key},
                  {"derive", derive},
                  {"generate-key", generate_aes},
                  {"next-counter", next_counter},
                  {"open-key", open_key},
                  {"keep-session", keep_session},
                  {"resume-session", resume_session}};

static void must(int status) {
  if (status == 0) return;
  fprintf(stderr, "secrets: preparation failed: %d\n", status);
  _Exit(2);
}

static void prepare(struct probe *probe) {
  struct dc *dc = &probe->dc;
  struct dc_bytes prefix = {nonce, 4};
  dc_test_port_init(&probe->test, 4);
  probe->inner = dc_test_port(&probe->test);
  struct dc_port port = {0};
  port.context = probe;
  port.random = fill_random;
  port.store_read = store_read;
  port.store_write = store_write;
  port.store_erase = store_erase;
  port.sleep_keep = sleep_keep;
  port.sleep_take = sleep_take;
  probe->test.sleep.woke = 1;
  dc_init(dc, &port);
  must(dc_open_device_key(dc, &probe->device));
  must(dc_export_public_key(dc, probe->device, probe->public_key));
  must(dc_generate_key(dc, DC_USAGE_WRAP | DC_USAGE_DECRYPT, &probe->carrier));
  must(dc_generate_key(dc, DC_USAGE_CARRIED, &probe->cargo));
  must(dc_generate_key(dc, DC_USAGE_ENCRYPT | DC_USAGE_DECRYPT | DC_USAGE_DERIVE, &probe->session));
  must(dc_key_agreement_wrap(dc, probe->public_key, aad, probe->cargo, probe->agreed));
  must(dc_aead_encrypt(dc, probe->session, nonce, aad, text, probe->sealed));
  must(dc_aead_encrypt_key(dc, probe->carrier, nonce, aad, prefix, probe->cargo, probe->carried));
  dc->slots[probe->carrier & 0xff].wrap_spent = 0; /* the probe seals once more */
}

int main(int count, char **arguments) {
  static struct probe probe;
  prepare(&probe);
  for (size_t i = 0; count == 2 && i < sizeof operations / sizeof operations[0]; i++)
    if (strcmp(operations[i].name, arguments[1]) == 0) {
      int status = operations[i].run(&probe);
      VALGRIND_MAKE_MEM_DEFINED(&status, sizeof status);
      return status == 0 ? 0 : 1;
    }
  for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) puts(operations[i].name);
  return 0;
}

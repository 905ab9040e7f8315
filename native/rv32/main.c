/* What each operation of the core costs on RV32IMC: one line of figures for each. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificates.h"
#include "meter.h"
#include "port_test.h"

/* Sizes as on the wire: a session message, its KDF context, its COSE_Key without the key, a reading. */
#define SIGNED 250u
#define KDF_CONTEXT 112u
#define COSE_KEY 24u
#define AAD 60u
#define READING 64u
#define RECORD 512u

struct bench {
  struct dc_test_port port;
  struct dc dc;
  dc_handle device_key, cek, session, opener;
  uint8_t cloud_secret[DC_SCALAR_SIZE], cloud_public[DC_POINT_SIZE];
  uint8_t device_public[DC_POINT_SIZE];
  uint8_t signature[DC_SIGNATURE_SIZE];
  uint8_t agreed[DC_AGREED_SIZE], compressed[DC_COMPRESSED_POINT_SIZE];
  uint8_t sealed[READING + DC_TAG_SIZE], carried[COSE_KEY + DC_KEY_SIZE + DC_TAG_SIZE];
  uint8_t wrapped[DC_WRAPPED_SIZE], key[DC_KEY_SIZE];
  struct authority authority;
};

static const uint8_t input[RECORD] = {1};
static const uint8_t nonce[DC_NONCE_SIZE] = {1};
static const struct dc_bytes message = {input, SIGNED};
static const struct dc_bytes kdf_context = {input, KDF_CONTEXT};
static const struct dc_bytes cose_key = {input, COSE_KEY};
static const struct dc_bytes aad = {input, AAD};
static const struct dc_bytes reading = {input, READING};

static int open_device_key(void *context) {
  struct bench *bench = context;
  return dc_open_device_key(&bench->dc, &bench->device_key);
}

static int generate(void *context) {
  struct bench *bench = context;
  return dc_ec_generate(&bench->dc, bench->cloud_secret, bench->cloud_public);
}

static int sign(void *context) {
  struct bench *bench = context;
  return dc_sign_message(&bench->dc, bench->device_key, message, bench->signature);
}

static int verify(void *context) {
  struct bench *bench = context;
  return dc_verify_message(&bench->dc, bench->device_public, message, bench->signature);
}

static int wrap(void *context) {
  struct bench *bench = context;
  return dc_key_agreement_wrap(&bench->dc, bench->device_public, kdf_context, bench->cek,
                               bench->agreed);
}

static int unwrap_point(struct bench *bench, const uint8_t *point, size_t length) {
  struct dc_bytes ephemeral = {point, length};
  dc_handle key;
  int status = dc_key_agreement_unwrap(&bench->dc, bench->device_key, ephemeral, kdf_context,
                                       bench->agreed + DC_POINT_SIZE, DC_USAGE_DECRYPT, &key);
  return status == 0 ? dc_destroy_key(&bench->dc, key) : status;
}

static int unwrap(void *context) {
  struct bench *bench = context;
  return unwrap_point(bench, bench->agreed, DC_POINT_SIZE);
}

static int unwrap_compressed(void *context) {
  struct bench *bench = context;
  return unwrap_point(bench, bench->compressed, DC_COMPRESSED_POINT_SIZE);
}

static int hkdf(void *context) {
  struct bench *bench = context;
  return dc_hkdf(bench->cloud_secret, DC_SCALAR_SIZE, kdf_context, bench->key);
}

static int key_wrap(void *context) {
  struct bench *bench = context;
  return dc_key_wrap(input, input, bench->wrapped);
}

static int key_unwrap(void *context) {
  struct bench *bench = context;
  return dc_key_unwrap(input, bench->wrapped, bench->key);
}

static int encrypt(void *context) {
  struct bench *bench = context;
  return dc_aead_encrypt(&bench->dc, bench->opener, nonce, aad, reading, bench->sealed);
}

static int decrypt(void *context) {
  struct bench *bench = context;
  struct dc_bytes sealed = {bench->sealed, sizeof bench->sealed};
  uint8_t out[READING];
  return dc_aead_decrypt(&bench->dc, bench->opener, nonce, aad, sealed, out);
}

static int encrypt_key(void *context) {
  struct bench *bench = context;
  return dc_aead_encrypt_key(&bench->dc, bench->cek, nonce, aad, cose_key, bench->session,
                             bench->carried);
}

static int derive(void *context) {
  struct bench *bench = context;
  dc_handle key;
  int status = dc_derive_key(&bench->dc, bench->session, aad, DC_USAGE_DECRYPT, &key);
  return status == 0 ? dc_destroy_key(&bench->dc, key) : status;
}

/* A number reserved and used: all that the core does for a reading. */
static int encrypt_sequence(void *context) {
  struct bench *bench = context;
  uint32_t sequence;
  int status = dc_reserve_sequence(&bench->dc, bench->session, &sequence);
  if (status != 0) return status;
  return dc_aead_encrypt_sequence(&bench->dc, bench->session, sequence, aad, reading,
                                  bench->sealed);
}

static int next_counter(void *context) {
  struct bench *bench = context;
  uint32_t counter;
  return dc_next_device_counter(&bench->dc, &counter);
}

static int request(void *context) {
  struct bench *bench = context;
  uint8_t out[DC_CSR_MAX];
  size_t length;
  return dc_write_csr(&bench->dc, bench->device_key, out, &length);
}

static int certificate(void *context) {
  struct bench *bench = context;
  struct dc_bytes leaf = {bench->authority.leaf, bench->authority.leaf_size};
  struct dc_bytes anchor = {bench->authority.anchor, bench->authority.anchor_size};
  struct dc_certificate_rules rules = {certificate_role, DC_KEY_USAGE_DIGITAL_SIGNATURE, 0, 0};
  struct dc_certificate out;
  return dc_verify_certificate(&bench->dc, leaf, anchor, &rules, &out);
}

static const struct dc_bytes record_id = {(const uint8_t *)"x", 1};

static int write_record(void *context) {
  struct bench *bench = context;
  struct dc_bytes content = {input, RECORD};
  return dc_write_record(&bench->dc, record_id, content);
}

static int read_record(void *context) {
  static uint8_t out[DC_RECORD_MAX];
  struct bench *bench = context;
  size_t length;
  return dc_read_record(&bench->dc, record_id, out, &length);
}

static int ring_append(void *context) {
  struct bench *bench = context;
  uint32_t evicted;
  return dc_ring_append(&bench->dc, reading, &evicted);
}

static int ring_peek(void *context) {
  static uint8_t out[DC_RING_ENTRY_MAX];
  struct bench *bench = context;
  size_t length;
  return dc_ring_peek(&bench->dc, 0, out, &length);
}

static int ring_drop(void *context) {
  struct bench *bench = context;
  return dc_ring_drop(&bench->dc, 1);
}

/* All calls that a session message takes, with their inputs' sizes (protocol/session-message.ts). */
static int session_message(void *context) {
  struct bench *bench = context;
  struct dc *dc = &bench->dc;
  dc_handle session, cek;
  uint8_t iv[DC_NONCE_SIZE], hash[DC_HASH_SIZE];
  int status = next_counter(bench);
  if (status == 0)
    status = dc_generate_key(
        dc, DC_USAGE_ENCRYPT_SEQUENCE | DC_USAGE_DERIVE | DC_USAGE_CARRIED, &session);
  if (status == 0) status = dc_generate_key(dc, DC_USAGE_WRAP | DC_USAGE_CARRIED, &cek);
  if (status == 0) status = dc_generate_random(dc, iv, sizeof iv);
  if (status == 0)
    status = dc_aead_encrypt_key(dc, cek, iv, aad, cose_key, session, bench->carried);
  if (status == 0)
    status = dc_key_agreement_wrap(dc, bench->cloud_public, kdf_context, cek, bench->agreed);
  if (status == 0) status = dc_destroy_key(dc, cek);
  if (status == 0) status = sign(bench);
  if (status == 0) status = dc_hash_compute(message, hash);
  if (status == 0) status = dc_destroy_key(dc, session);
  return status;
}

static void report(struct bench *bench, const char *name, int (*operation)(void *context)) {
  int status;
  struct cost cost = meter(operation, bench, &status);
  if (status != 0) {
    printf("%s: expected 0, got %d\n", name, status);
    exit(1);
  }
  printf("operation %s %llu %u %u\n", name, (unsigned long long)cost.instructions,
         (unsigned)cost.stack, (unsigned)cost.heap);
}

static void must(int status) {
  if (status == 0) return;
  printf("preparation: expected 0, got %d\n", status);
  exit(1);
}

static void prepare(struct bench *bench) {
  struct dc *dc = &bench->dc;
  must(dc_export_public_key(dc, bench->device_key, bench->device_public));
  must(dc_generate_key(dc, DC_USAGE_WRAP | DC_USAGE_CARRIED, &bench->cek));
  must(dc_generate_key(dc, DC_USAGE_ENCRYPT_SEQUENCE | DC_USAGE_DERIVE | DC_USAGE_CARRIED,
                       &bench->session));
  must(dc_generate_key(dc, DC_USAGE_ENCRYPT | DC_USAGE_DECRYPT, &bench->opener));
  make_authority(dc, &bench->authority);
}

static void compress(struct bench *bench) {
  memcpy(bench->compressed, bench->agreed, sizeof bench->compressed);
  bench->compressed[0] = (uint8_t)(2u + (bench->agreed[DC_POINT_SIZE - 1] & 1u));
}

int main(void) {
  static struct bench bench;
  dc_test_port_init(&bench.port, 1);
  struct dc_port port = dc_test_port(&bench.port);
  dc_init(&bench.dc, &port);
  report(&bench, "first-boot", open_device_key);
  dc_free(&bench.dc);
  report(&bench, "open-device-key", open_device_key);
  prepare(&bench);
  report(&bench, "generate-pair", generate);
  report(&bench, "sign", sign);
  report(&bench, "verify", verify);
  report(&bench, "agreement-wrap", wrap);
  compress(&bench);
  report(&bench, "agreement-unwrap", unwrap);
  report(&bench, "agreement-unwrap-33", unwrap_compressed);
  report(&bench, "hkdf", hkdf);
  report(&bench, "key-wrap", key_wrap);
  report(&bench, "key-unwrap", key_unwrap);
  report(&bench, "gcm-encrypt-64", encrypt);
  report(&bench, "gcm-decrypt-64", decrypt);
  report(&bench, "gcm-encrypt-key", encrypt_key);
  report(&bench, "derive-key", derive);
  report(&bench, "sequence-encrypt-64", encrypt_sequence);
  report(&bench, "counter-step", next_counter);
  report(&bench, "session-message", session_message);
  report(&bench, "csr", request);
  report(&bench, "verify-certificate", certificate);
  must(write_record(&bench));
  report(&bench, "write-record-512", write_record);
  report(&bench, "read-record-512", read_record);
  must(ring_append(&bench));
  report(&bench, "ring-append-64", ring_append);
  report(&bench, "ring-peek-64", ring_peek);
  report(&bench, "ring-drop", ring_drop);
  printf("module %u\n", (unsigned)sizeof bench.dc);
  printf("heap-kept %u\n", (unsigned)meter_heap());
  dc_free(&bench.dc);
  printf("heap-left %u\n", (unsigned)meter_heap());
  return 0;
}

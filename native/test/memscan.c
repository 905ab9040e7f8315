/*
 * "No key outside its slot": does what a device does, then searches all of its own
 * memory for each secret. Found exactly once, and nowhere once the module is freed.
 */

#define _GNU_SOURCE /* mkdtemp, pread */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"
#include "port_posix.h"

/* The secrets are remembered under this mask, so as not to find what we look for. */
#define MASK 0x5a
#define CHUNK (1u << 20)

struct secret {
  const char *name;
  size_t length;
  uint8_t masked[DC_SCALAR_SIZE];
};

struct scan {
  int memory;
  uint8_t *chunk; /* a mapping of its own, which is not searched */
  unsigned passed, failed;
  volatile uint8_t copy[DC_KEY_SIZE]; /* planted, to be found */
};

static struct secret remember(const char *name, const uint8_t *secret, size_t length) {
  struct secret remembered = {name, length, {0}};
  for (size_t i = 0; i < length; i++) remembered.masked[i] = secret[i] ^ MASK;
  return remembered;
}

static int matches(const uint8_t *at, const struct secret *secret, int backwards) {
  for (size_t i = 0; i < secret->length; i++) {
    size_t j = backwards ? secret->length - 1 - i : i;
    if ((at[i] ^ MASK) != secret->masked[j]) return 0;
  }
  return 1;
}

/* Chunks overlap by a secret's length less one, so that none is missed or counted twice. */
static unsigned count_in_range(struct scan *scan, uint64_t from, uint64_t to,
                               const struct secret *secret, int backwards) {
  unsigned found = 0;
  while (from + secret->length <= to) {
    uint64_t wanted = to - from < CHUNK ? to - from : CHUNK;
    ssize_t got = pread(scan->memory, scan->chunk, (size_t)wanted, (off_t)from);
    if (got < (ssize_t)secret->length) return found; /* a mapping of the kernel's */
    for (size_t i = 0; i + secret->length <= (size_t)got; i++)
      found += (unsigned)matches(scan->chunk + i, secret, backwards);
    from += (uint64_t)got - secret->length + 1;
  }
  return found;
}

static unsigned count(struct scan *scan, const struct secret *secret, int backwards) {
  char line[512];
  unsigned found = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    uint64_t from, to;
    char permissions[5];
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, permissions) != 3) continue;
    if (permissions[0] != 'r') continue;
    uint64_t own = (uint64_t)(uintptr_t)scan->chunk;
    /* The kernel may join neighbouring mappings: search around the chunk. */
    if (from <= own && own < to) {
      found += count_in_range(scan, from, own, secret, backwards);
      from = own + CHUNK;
    }
    found += count_in_range(scan, from, to, secret, backwards);
  }
  if (maps != NULL) fclose(maps);
  return found;
}

static void expect(struct scan *scan, const struct secret *secret, unsigned expected) {
  unsigned forwards = count(scan, secret, 0);
  unsigned backwards = count(scan, secret, 1);
  int right = forwards == expected && backwards == 0;
  if (right)
    scan->passed++;
  else
    scan->failed++;
  printf("%s %s: found %u times, %u backwards, expected %u\n", right ? "ok" : "FAILED",
         secret->name, forwards, backwards, expected);
}

static void must(int status) {
  if (status == 0) return;
  printf("FAILED: status %d\n", status);
  exit(1);
}

static struct dc_bytes text(const char *string) {
  struct dc_bytes bytes = {(const uint8_t *)string, strlen(string)};
  return bytes;
}

struct keys {
  dc_handle device, cek, session, receipt;
};

/* First boot, one session message, readings, a receipt key, a message from the cloud. */
static void live(struct dc *dc, struct keys *keys) {
  uint8_t public_key[DC_POINT_SIZE], agreed[DC_AGREED_SIZE], nonce[DC_NONCE_SIZE];
  uint8_t signature[DC_SIGNATURE_SIZE], out[256], prefix[6];
  dc_handle opened, carried;
  uint32_t number;
  must(dc_open_device_key(dc, &keys->device));
  must(dc_next_device_counter(dc, &number));
  must(dc_export_public_key(dc, keys->device, public_key));
  must(dc_generate_key(dc, DC_USAGE_CARRIED | DC_USAGE_WRAP | DC_USAGE_ENCRYPT, &keys->cek));
  must(dc_generate_key(dc, DC_USAGE_CARRIED | DC_USAGE_ENCRYPT_SEQUENCE | DC_USAGE_DERIVE,
                       &keys->session));
  must(dc_generate_random(dc, nonce, sizeof nonce));
  must(dc_key_agreement_wrap(dc, public_key, text("context"), keys->cek, agreed));
  must(dc_aead_encrypt_key(dc, keys->cek, nonce, text("aad"), text("prefix"), keys->session, out));
  struct dc_bytes sealed = {out, 6 + DC_KEY_SIZE + DC_TAG_SIZE};
  struct dc_bytes ephemeral = {agreed, DC_POINT_SIZE};
  must(dc_sign_message(dc, keys->device, sealed, signature));
  must(dc_verify_message(dc, public_key, sealed, signature));
  must(dc_key_agreement_unwrap(dc, keys->device, ephemeral, text("context"),
                               agreed + DC_POINT_SIZE, DC_USAGE_DECRYPT, &opened));
  must(dc_aead_decrypt_key(dc, opened, nonce, text("aad"), sealed, 6, DC_USAGE_DECRYPT, prefix,
                           &carried));
  must(dc_destroy_key(dc, opened));
  must(dc_destroy_key(dc, carried));
  must(dc_derive_key(dc, keys->session, text("receipt"), DC_USAGE_DECRYPT, &keys->receipt));
  for (int i = 0; i < 10; i++) {
    must(dc_reserve_sequence(dc, keys->session, &number));
    must(dc_aead_encrypt_sequence(dc, keys->session, number, text("aad"), text("reading"), out));
  }
}

static void search(struct scan *scan, struct dc *dc) {
  struct keys keys;
  live(dc, &keys);
  const struct dc_slot *slots = dc->slots;
  const struct secret secrets[] = {
      remember("device key", slots[keys.device & 0xff].secret, DC_SCALAR_SIZE),
      remember("content key", slots[keys.cek & 0xff].secret, DC_KEY_SIZE),
      remember("session key", slots[keys.session & 0xff].secret, DC_KEY_SIZE),
      remember("receipt key", slots[keys.receipt & 0xff].secret, DC_KEY_SIZE),
  };
  const size_t secret_count = sizeof secrets / sizeof secrets[0];
  for (size_t i = 0; i < secret_count; i++) expect(scan, &secrets[i], 1);
  /* The search itself is tested: a second copy is found. */
  for (size_t i = 0; i < DC_KEY_SIZE; i++) scan->copy[i] = slots[keys.cek & 0xff].secret[i];
  expect(scan, &secrets[1], 2);
  for (size_t i = 0; i < DC_KEY_SIZE; i++) scan->copy[i] = 0;
  expect(scan, &secrets[1], 1);
  dc_free(dc);
  for (size_t i = 0; i < secret_count; i++) expect(scan, &secrets[i], 0);
}

static void remove_store(int directory, const char *path) {
  unlinkat(directory, "device-a", 0);
  unlinkat(directory, "device-b", 0);
  rmdir(path);
}

int main(void) {
  static struct dc dc;
  struct scan scan = {.memory = open("/proc/self/mem", O_RDONLY)};
  struct dc_posix store;
  const char *reason;
  char path[] = "/tmp/dc-memscan-XXXXXX";
  scan.chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (scan.memory < 0 || scan.chunk == MAP_FAILED || mkdtemp(path) == NULL) {
    printf("FAILED: no /proc/self/mem, memory or temporary directory\n");
    return 1;
  }
  must(dc_posix_open(&store, path, &reason));
  struct dc_port port = dc_posix_port(&store);
  dc_init(&dc, &port);
  search(&scan, &dc);
  remove_store(store.directory, path);
  dc_posix_close(&store);
  printf("%u passed, %u failed\n", scan.passed, scan.failed);
  return scan.failed == 0 ? 0 : 1;
}

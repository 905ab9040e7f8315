/* seeds TARGET DIRECTORY: inputs of that target to start from, one file each. */

#include "certificates.h"

struct seed {
  uint8_t bytes[8192];
  size_t length;
};

static const char *directory;
static unsigned written;

static void add(struct seed *seed, const void *bytes, size_t length) {
  MUST(length <= sizeof seed->bytes - seed->length);
  memcpy(seed->bytes + seed->length, bytes, length);
  seed->length += length;
}

static void add_bytes(struct seed *seed, uint8_t byte, size_t count) {
  for (size_t i = 0; i < count; i++) add(seed, &byte, 1);
}

static void save(const struct seed *seed) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%02u", directory, written++);
  FILE *file = fopen(path, "wb");
  MUST(file != NULL);
  MUST(fwrite(seed->bytes, 1, seed->length, file) == seed->length);
  MUST(fclose(file) == 0);
}

/* A seed of this beginning and then `count` zeros: masks that change nothing. */
static void save_plain(const char *start, size_t length, size_t count) {
  struct seed seed = {{0}, 0};
  add(&seed, start, length);
  add_bytes(&seed, 0, count);
  save(&seed);
}

static void aead(void) {
  save_plain("nonce nonce \0\3\4\0aadtext", 23, 20);
  save_plain("nonce nonce \0\0\24\4fourabcdefghijklmnop", 36, 36);
  save_plain("nonce nonce \1\3\4\0aadtextnot what was sealed", 42, 0);
}

static void agreement(void) {
  for (int mode = 0; mode < 4; mode++) {
    char start[] = {(char)mode, 7, 'c', 'o', 'n', 't', 'e', 'x', 't'};
    save_plain(start, sizeof start, 90);
  }
}

static void verify(void) {
  save_plain("\1\7message", 9, 129);
  save_plain("\0\7message\4", 10, 129);
}

static void key_record(void) {
  for (int mode = 0; mode < 32; mode++) {
    char start = (char)mode;
    save_plain(&start, 1, 236);
  }
}

static void record(void) {
  for (int mode = 0; mode < 16; mode++) {
    struct seed seed = {{(uint8_t)mode, 20}, 2};
    add(&seed, "cfrc\1\0\0\0\1\0\5hello0000", 20);
    add(&seed, "\3new", 4);
    add(&seed, "cfrc\1\0\0\0\2\0\5again0000", 20);
    save(&seed);
  }
}

static void ring(void) {
  static const uint8_t fill[] = {0, 255, 1, 255, 2, 255, 0, 10, 3, 2, 6, 0};
  struct seed seed = {{0}, 0};
  for (int i = 0; i < 8; i++) add(&seed, fill, sizeof fill);
  save(&seed);
  add(&seed, "\5\1\0\4\4\0\3\1\6\0\7\0", 12);
  save(&seed);
  save_plain("\0\1\0\2\3\1\0\3\5\2\0\4\7", 13, 1);
}

static void certificate(void) {
  static struct host host;
  static struct dc dc;
  static struct authority authority;
  host_init(&host);
  struct dc_port port = host_port(&host);
  dc_init(&dc, &port);
  make_authority(&dc, &authority);
  for (int mode = 0; mode < 64; mode++) {
    struct seed seed = {{(uint8_t)mode}, 1};
    if (mode & 1) add_bytes(&seed, 0, authority.leaf_size + authority.anchor_size);
    else add(&seed, authority.leaf, authority.leaf_size);
    save(&seed);
  }
  dc_free(&dc);
}

static const struct {
  const char *target;
  void (*make)(void);
} targets[] = {{"aead", aead},     {"agreement", agreement}, {"verify", verify},
               {"record", record}, {"key_record", key_record}, {"ring", ring},
               {"certificate", certificate}};

int main(int count, char **arguments) {
  MUST(count == 3);
  directory = arguments[2];
  for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
    if (strcmp(targets[i].target, arguments[1]) == 0) targets[i].make();
  MUST(written > 0);
  return 0;
}

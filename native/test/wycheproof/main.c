/*
 * Cases on stdin, verdicts on stdout, one line each. A case is its kind, then fields in
 * hexadecimal ("-" when empty):
 *   ecdsa POINT MESSAGE SIGNATURE      accept | refuse
 *   ecdh SECRET POINT                  accept SHARED | refuse
 *   gcm KEY NONCE AAD TEXT SEALED      accept | refuse, then OPENED ("-" if refused), SEALED
 *   wrap KEK KEY WRAPPED               accept | refuse, then UNWRAPPED, WRAPPED
 *   hkdf SECRET INFO                   accept DERIVED
 * "size": a field is not as long as the function's parameter, so there is nothing to call.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "port_test.h"

#define FIELDS 6u
#define FIELD_MAX (DC_INPUT_MAX + DC_TAG_SIZE)
#define LINE_MAX_SIZE (FIELDS * 2u * FIELD_MAX)

struct field {
  size_t length;
  uint8_t data[FIELD_MAX];
};

struct test {
  char kind[8];
  struct dc dc;
  size_t count;
  struct field fields[FIELDS];
};

static void broken(const char *what) {
  fprintf(stderr, "wycheproof: %s\n", what);
  exit(2);
}

static struct dc_bytes bytes(const struct field *field) {
  struct dc_bytes all = {field->data, field->length};
  return all;
}

static void print(const uint8_t *data, size_t length) {
  putchar(' ');
  if (length == 0) putchar('-');
  for (size_t i = 0; i < length; i++) printf("%02x", data[i]);
}

/* A status that says no, as against one that says that something broke. */
static int accepted(int status, int refusal) {
  if (status != 0 && status != refusal && status != DC_ERR_ARGUMENT) broken("unexpected status");
  printf(status == 0 ? "accept" : "refuse");
  return status == 0;
}

static void must(int status) {
  if (status != 0) broken("a function failed that must not");
}

static int has_sizes(const struct test *test, const size_t *sizes, size_t count) {
  if (test->count != count) broken("wrong number of fields");
  for (size_t i = 0; i < count; i++)
    if (sizes[i] != SIZE_MAX && test->fields[i].length != sizes[i]) {
      printf("size");
      return 0;
    }
  return 1;
}

static void ecdsa(struct test *test) {
  static const size_t sizes[] = {DC_POINT_SIZE, SIZE_MAX, DC_SIGNATURE_SIZE};
  const struct field *f = test->fields;
  if (!has_sizes(test, sizes, 3)) return;
  accepted(dc_verify_message(&test->dc, f[0].data, bytes(&f[1]), f[2].data), DC_ERR_SIGNATURE);
}

static void ecdh(struct test *test) {
  static const size_t sizes[] = {DC_SCALAR_SIZE, SIZE_MAX};
  const struct field *f = test->fields;
  uint8_t shared[DC_SCALAR_SIZE];
  if (!has_sizes(test, sizes, 2)) return;
  int status = dc_ec_agree(&test->dc, f[0].data, bytes(&f[1]), shared);
  if (accepted(status, DC_ERR_ARGUMENT)) print(shared, sizeof shared);
}

static void gcm(struct test *test) {
  static const size_t sizes[] = {DC_KEY_SIZE, DC_NONCE_SIZE, SIZE_MAX, SIZE_MAX, SIZE_MAX};
  const struct field *f = test->fields;
  static uint8_t opened[FIELD_MAX], sealed[FIELD_MAX + DC_TAG_SIZE];
  dc_handle key;
  if (!has_sizes(test, sizes, 5)) return;
  must(dc_test_import_aes(&test->dc, f[0].data, DC_USAGE_ENCRYPT | DC_USAGE_DECRYPT, &key));
  int status = dc_aead_decrypt(&test->dc, key, f[1].data, bytes(&f[2]), bytes(&f[4]), opened);
  int is_open = accepted(status, DC_ERR_DECRYPT);
  print(opened, is_open ? f[4].length - DC_TAG_SIZE : 0);
  must(dc_aead_encrypt(&test->dc, key, f[1].data, bytes(&f[2]), bytes(&f[3]), sealed));
  print(sealed, f[3].length + DC_TAG_SIZE);
  must(dc_destroy_key(&test->dc, key));
}

static void wrap(struct test *test) {
  static const size_t sizes[] = {DC_KEY_SIZE, DC_KEY_SIZE, DC_WRAPPED_SIZE};
  const struct field *f = test->fields;
  uint8_t key[DC_KEY_SIZE], wrapped[DC_WRAPPED_SIZE];
  if (!has_sizes(test, sizes, 3)) return;
  int is_open = accepted(dc_key_unwrap(f[0].data, f[2].data, key), DC_ERR_DECRYPT);
  print(key, is_open ? sizeof key : 0);
  must(dc_key_wrap(f[0].data, f[1].data, wrapped));
  print(wrapped, sizeof wrapped);
}

static void hkdf(struct test *test) {
  static const size_t sizes[] = {SIZE_MAX, SIZE_MAX};
  const struct field *f = test->fields;
  uint8_t out[DC_KEY_SIZE];
  if (!has_sizes(test, sizes, 2)) return;
  accepted(dc_hkdf(f[0].data, f[0].length, bytes(&f[1]), out), 0);
  print(out, sizeof out);
}

static void read_field(struct field *field, const char *digits) {
  if (strcmp(digits, "-") == 0) digits = "";
  field->length = strlen(digits) / 2;
  if (field->length > FIELD_MAX) broken("a field is too long");
  for (size_t i = 0; i < field->length; i++) {
    unsigned byte;
    if (sscanf(digits + 2 * i, "%2x", &byte) != 1) broken("a field is not hexadecimal");
    field->data[i] = (uint8_t)byte;
  }
}

static void read_case(struct test *test, char *line) {
  char *word = strtok(line, " \n");
  if (word == NULL || strlen(word) >= sizeof test->kind) broken("no kind");
  memcpy(test->kind, word, strlen(word) + 1);
  for (test->count = 0; (word = strtok(NULL, " \n")) != NULL; test->count++) {
    if (test->count == FIELDS) broken("too many fields");
    read_field(&test->fields[test->count], word);
  }
}

static void run(struct test *test) {
  static const struct {
    const char *kind;
    void (*judge)(struct test *test);
  } kinds[] = {{"ecdsa", ecdsa}, {"ecdh", ecdh}, {"gcm", gcm}, {"wrap", wrap}, {"hkdf", hkdf}};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (strcmp(kinds[i].kind, test->kind) == 0) {
      kinds[i].judge(test);
      putchar('\n');
      return;
    }
  broken("unknown kind");
}

int main(void) {
  static struct test test;
  static struct dc_test_port store;
  static char line[LINE_MAX_SIZE];
  dc_test_port_init(&store, 1);
  struct dc_port port = dc_test_port(&store);
  dc_init(&test.dc, &port);
  while (fgets(line, sizeof line, stdin) != NULL) {
    read_case(&test, line);
    run(&test);
  }
  dc_free(&test.dc);
  return 0;
}

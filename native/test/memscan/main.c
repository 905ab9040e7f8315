/*
 * "No key outside its slot": does what a device does, step by step, and after each
 * step searches all memory that can be written for each secret known so far. A secret
 * must be found as often as it lies in a slot or is kept over deep sleep, and no more:
 * what passed through the stack or the heap is wiped. The steps run far down the stack, so that the search
 * does not itself overwrite what they left there.
 */

#define _GNU_SOURCE /* mkdtemp */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cell.h"
#include "port_posix.h"
#include "scan.h"

#define GAP (128u * 1024u)

/* The system's random source, with the first 32 bytes after `armed` remembered: the
 * scalar of the key that is then made. */
struct recorder {
  struct dc_port inner;
  int armed;
  struct secret first;
  struct cell cell;
};

struct scene {
  struct dc dc;
  struct scan scan;
  struct recorder recorder;
  struct dc_posix store;
  int has_chip_key;
  dc_handle device, cek, session, receipt, opened, carried, pair, next;
  uint8_t public_key[DC_POINT_SIZE];
  uint8_t nonce[DC_NONCE_SIZE];
  uint8_t agreed[DC_AGREED_SIZE];
  uint8_t sealed[6 + DC_KEY_SIZE + DC_TAG_SIZE];
};

static void remember_masked(struct scan *scan, const struct secret *secret) {
  scan->secrets[scan->secret_count++] = *secret;
  if (secret->length != DC_SCALAR_SIZE) return;
  for (unsigned teeth = LEAST_TEETH; teeth <= MOST_TEETH; teeth++)
    scan->digits[scan->digits_count++] = scan_digits(secret, teeth);
}

static void remember(struct scene *scene, const char *name, const uint8_t *secret, size_t length) {
  struct secret masked = scan_mask(name, secret, length);
  remember_masked(&scene->scan, &masked);
}

/* How many slots hold the secret. */
static unsigned slots_with(const struct dc *dc, const struct secret *secret) {
  unsigned slots = 0;
  for (size_t i = 0; i < DC_SLOTS; i++)
    slots += dc->slots[i].kind != DC_KIND_FREE && scan_matches(dc->slots[i].secret, secret, 0);
  return slots;
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

static int recorded_random(void *context, uint8_t *out, size_t length) {
  struct recorder *recorder = context;
  int status = recorder->inner.random(recorder->inner.context, out, length);
  if (status == 0 && recorder->armed && length == DC_SCALAR_SIZE) {
    recorder->first = scan_mask("scalar", out, length);
    recorder->armed = 0;
  }
  return status;
}

static int recorded_read(void *context, const char *id, uint8_t *out, size_t capacity,
                         size_t *length) {
  const struct dc_port *inner = &((struct recorder *)context)->inner;
  return inner->store_read(inner->context, id, out, capacity, length);
}

static int recorded_write(void *context, const char *id, const uint8_t *data, size_t length) {
  const struct dc_port *inner = &((struct recorder *)context)->inner;
  return inner->store_write(inner->context, id, data, length);
}

static int recorded_erase(void *context, const char *id) {
  const struct dc_port *inner = &((struct recorder *)context)->inner;
  return inner->store_erase(inner->context, id);
}

static int recorded_keep(void *context, const uint8_t *data, size_t length) {
  return cell_keep(&((struct recorder *)context)->cell, data, length);
}

static int recorded_take(void *context, uint8_t *out, size_t capacity, size_t *length) {
  return cell_take(&((struct recorder *)context)->cell, out, capacity, length);
}

/* A secret of the chip; nothing here keeps it. */
static int chip_key(void *context, const uint8_t *label, size_t length, uint8_t out[32]) {
  (void)context;
  for (volatile size_t i = 0; i < 32; i++)
    out[i] = (uint8_t)(label[i % length] * 37u + 101u * (uint32_t)i * i + 13u);
  return 0;
}

static void start_module(struct scene *scene) {
  struct dc_port port = {.context = &scene->recorder,
                         .random = recorded_random,
                         .store_read = recorded_read,
                         .store_write = recorded_write,
                         .store_erase = recorded_erase,
                         .sleep_keep = recorded_keep,
                         .sleep_take = recorded_take,
                         .hardware_key = scene->has_chip_key ? chip_key : NULL};
  scene->recorder.inner = dc_posix_port(&scene->store);
  dc_init(&scene->dc, &port);
}

/* The steps of a device's life. */

static void make_device_key(struct scene *scene) {
  must(dc_open_device_key(&scene->dc, &scene->device));
  must(dc_export_public_key(&scene->dc, scene->device, scene->public_key));
}

static void count_up(struct scene *scene) {
  uint32_t counter;
  must(dc_next_device_counter(&scene->dc, &counter));
}

static void open_again(struct scene *scene) {
  dc_free(&scene->dc);
  start_module(scene);
  must(dc_open_device_key(&scene->dc, &scene->device));
}

static void make_keys(struct scene *scene) {
  must(dc_generate_key(&scene->dc, DC_USAGE_CARRIED | DC_USAGE_WRAP, &scene->cek));
  must(dc_generate_key(&scene->dc, DC_USAGE_CARRIED | DC_USAGE_ENCRYPT_SEQUENCE | DC_USAGE_DERIVE,
                       &scene->session));
  must(dc_generate_random(&scene->dc, scene->nonce, sizeof scene->nonce));
}

static void wrap(struct scene *scene) {
  scene->recorder.armed = 1;
  must(dc_key_agreement_wrap(&scene->dc, scene->public_key, text("context"), scene->cek,
                             scene->agreed));
}

static void carry(struct scene *scene) {
  must(dc_aead_encrypt_key(&scene->dc, scene->cek, scene->nonce, text("aad"), text("prefix"),
                           scene->session, scene->sealed));
}

static void sign(struct scene *scene) {
  uint8_t signature[DC_SIGNATURE_SIZE];
  must(dc_sign_message(&scene->dc, scene->device, text("message"), signature));
}

static void unwrap(struct scene *scene) {
  struct dc_bytes ephemeral = {scene->agreed, DC_POINT_SIZE};
  must(dc_key_agreement_unwrap(&scene->dc, scene->device, ephemeral, text("context"),
                               scene->agreed + DC_POINT_SIZE, DC_USAGE_DECRYPT, &scene->opened));
}

static void take_carried(struct scene *scene) {
  struct dc_bytes sealed = {scene->sealed, sizeof scene->sealed};
  uint8_t prefix[6];
  must(dc_aead_decrypt_key(&scene->dc, scene->opened, scene->nonce, text("aad"), sealed, 6,
                           DC_USAGE_DECRYPT, prefix, &scene->carried));
}

static void destroy(struct scene *scene) {
  must(dc_destroy_key(&scene->dc, scene->opened));
  must(dc_destroy_key(&scene->dc, scene->carried));
}

static void derive(struct scene *scene) {
  must(dc_derive_key(&scene->dc, scene->session, text("receipt"), DC_USAGE_DECRYPT,
                     &scene->receipt));
}

static void read_sensor(struct scene *scene) {
  uint8_t out[7 + DC_TAG_SIZE];
  uint32_t sequence;
  must(dc_reserve_sequence(&scene->dc, scene->session, &sequence));
  must(dc_aead_encrypt_sequence(&scene->dc, scene->session, sequence, text("aad"), text("reading"),
                                out));
}

static void sleep_deeply(struct scene *scene) {
  must(dc_keep_session(&scene->dc, scene->session));
}

static void wake_up(struct scene *scene) {
  must(dc_resume_session(&scene->dc, &scene->session));
}

static void make_pair(struct scene *scene) {
  must(dc_generate_key_pair(&scene->dc, DC_USAGE_SIGN, &scene->pair));
}

static void request(struct scene *scene) {
  uint8_t csr[DC_CSR_MAX];
  size_t length;
  must(dc_write_csr(&scene->dc, scene->pair, csr, &length));
}

static void make_next_key(struct scene *scene) {
  must(dc_open_key(&scene->dc, text("next"), &scene->next));
}

static void erase_keys(struct scene *scene) {
  must(dc_destroy_key(&scene->dc, scene->pair));
  must(dc_erase_key(&scene->dc, text("next")));
}

static void open_sealed(struct scene *scene) {
  uint32_t counter;
  dc_free(&scene->dc);
  scene->has_chip_key = 1;
  start_module(scene);
  must(dc_open_device_key(&scene->dc, &scene->device));
  must(dc_next_device_counter(&scene->dc, &counter));
  must(dc_next_device_counter(&scene->dc, &counter));
}

static void end(struct scene *scene) { dc_free(&scene->dc); }

/* What the test learns after a step; not far down, so that the step's traces stay. */

static void learn_device_key(struct scene *scene) {
  remember(scene, "device key", scene->dc.slots[scene->device & 0xff].secret, DC_SCALAR_SIZE);
}

static void learn_keys(struct scene *scene) {
  remember(scene, "content key", scene->dc.slots[scene->cek & 0xff].secret, DC_KEY_SIZE);
  remember(scene, "session key", scene->dc.slots[scene->session & 0xff].secret, DC_KEY_SIZE);
}

/* Ephemeral scalar, shared secret and key encryption key of the wrap. */
static void learn_agreement(struct scene *scene) {
  uint8_t shared[DC_SCALAR_SIZE], kek[DC_KEY_SIZE];
  struct dc_bytes ephemeral = {scene->agreed, DC_POINT_SIZE};
  const uint8_t *own = scene->dc.slots[scene->device & 0xff].secret;
  must(dc_ec_agree(&scene->dc, own, ephemeral, shared));
  must(dc_hkdf(shared, sizeof shared, text("context"), kek));
  scene->recorder.first.name = "ephemeral key";
  remember_masked(&scene->scan, &scene->recorder.first);
  remember(scene, "shared secret", shared, sizeof shared);
  remember(scene, "key encryption key", kek, sizeof kek);
  explicit_bzero(shared, sizeof shared);
  explicit_bzero(kek, sizeof kek);
}

static void learn_receipt_key(struct scene *scene) {
  remember(scene, "receipt key", scene->dc.slots[scene->receipt & 0xff].secret, DC_KEY_SIZE);
}

static void learn_pair(struct scene *scene) {
  remember(scene, "pair", scene->dc.slots[scene->pair & 0xff].secret, DC_SCALAR_SIZE);
}

static void learn_next_key(struct scene *scene) {
  remember(scene, "next key", scene->dc.slots[scene->next & 0xff].secret, DC_SCALAR_SIZE);
}

static void learn_sealing_key(struct scene *scene) {
  uint8_t key[32];
  struct dc_bytes label = text("coseflow key device");
  chip_key(NULL, label.data, label.length, key);
  remember(scene, "sealing key", key, DC_KEY_SIZE);
  explicit_bzero(key, sizeof key);
}

struct step {
  const char *name;
  void (*run)(struct scene *scene);
  void (*learn)(struct scene *scene); /* NULL: nothing new */
};

static const struct step steps[] = {
    {"first boot", make_device_key, learn_device_key},
    {"device counter", count_up, NULL},
    {"second boot", open_again, NULL},
    {"fresh keys", make_keys, learn_keys},
    {"wrap", wrap, learn_agreement},
    {"encrypt key", carry, NULL},
    {"sign", sign, NULL},
    {"unwrap", unwrap, NULL},
    {"decrypt key", take_carried, NULL},
    {"destroy", destroy, NULL},
    {"derive", derive, learn_receipt_key},
    {"reading", read_sensor, NULL},
    {"deep sleep", sleep_deeply, NULL},
    {"wake", wake_up, NULL},
    {"reading after it", read_sensor, NULL},
    {"pair", make_pair, learn_pair},
    {"request", request, NULL},
    {"next key", make_next_key, learn_next_key},
    {"erase", erase_keys, NULL},
    {"sealed boot", open_sealed, learn_sealing_key},
    {"sealed boot again", open_sealed, NULL},
    {"end", end, NULL},
};

static __attribute__((noinline)) void run_far_down(const struct step *step, struct scene *scene) {
  volatile uint8_t gap[GAP];
  gap[0] = 0;
  gap[GAP - 1] = gap[0];
  step->run(scene);
  gap[1] = gap[GAP - 1]; /* keeps the frame until here */
}

/* The search itself is tested: a second copy is found. */
static void find_planted(struct scene *scene) {
  struct scan *scan = &scene->scan;
  const uint8_t *cek = scene->dc.slots[scene->cek & 0xff].secret;
  const struct secret *known = &scan->secrets[1];
  for (size_t i = 0; i < DC_KEY_SIZE; i++) scan->copy[i] = cek[i];
  scan_expect(scan, "planted copy", known, 2);
  for (size_t i = 0; i < DC_KEY_SIZE; i++) scan->copy[i] = cek[DC_KEY_SIZE - 1 - i];
  if (scan_count(scan, known, 1) == 1)
    scan->passed++;
  else
    scan->failed++;
  for (size_t i = 0; i < DC_KEY_SIZE; i++) scan->copy[i] = 0;
}

static void search(struct scene *scene) {
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    const struct step *step = &steps[i];
    run_far_down(step, scene);
    if (step->learn != NULL) step->learn(scene);
    for (size_t j = 0; j < scene->scan.secret_count; j++) {
      const struct secret *secret = &scene->scan.secrets[j];
      scan_expect(&scene->scan, step->name, secret,
                  slots_with(&scene->dc, secret) + cell_holds(&scene->recorder.cell, secret));
    }
    for (size_t j = 0; j < scene->scan.digits_count; j++)
      scan_expect(&scene->scan, step->name, &scene->scan.digits[j], 0);
    if (step->run == make_keys) find_planted(scene);
  }
}

static void remove_store(int directory, const char *path) {
  unlinkat(directory, "device-a", 0);
  unlinkat(directory, "device-b", 0);
  rmdir(path);
}

int main(void) {
  static struct scene scene;
  const char *reason;
  char path[] = "/tmp/dc-memscan-XXXXXX";
  struct scan *scan = &scene.scan;
  scan->memory = open("/proc/self/mem", O_RDONLY);
  scan->chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (scan->memory < 0 || scan->chunk == MAP_FAILED || mkdtemp(path) == NULL) {
    printf("FAILED: no /proc/self/mem, memory or temporary directory\n");
    return 1;
  }
  must(dc_posix_open(&scene.store, path, &reason));
  start_module(&scene);
  search(&scene);
  remove_store(scene.store.directory, path);
  dc_posix_close(&scene.store);
  printf("%u passed, %u failed\n", scan->passed, scan->failed);
  return scan->failed == 0 ? 0 : 1;
}

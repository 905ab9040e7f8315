/* The core over port_esp32.c over the stand-in of the chip. */

#include <stdio.h>
#include <string.h>

#include "chip.h"
#include "internal.h"
#include "port_esp32.h"

#define CHECK(suite, condition) check((suite), (condition) != 0, #condition, __LINE__)
#define CHECK_STATUS(suite, expected, call) check((suite), (call) == (expected), #call, __LINE__)
#define TEXT(literal) ((struct dc_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

struct suite {
  unsigned passed, failed;
};

static void check(struct suite *suite, int passed, const char *what, int line) {
  suite->passed += passed != 0;
  suite->failed += passed == 0;
  if (!passed) printf("test/esp32/main.c:%d: failed: %s\n", line, what);
}

struct board {
  struct dc_esp32 esp32;
  struct dc dc;
};

static int start(struct board *board) {
  const char *reason;
  chip.mounted = chip.open = false; /* as after a reset */
  int status = dc_esp32_open(&board->esp32, &reason);
  if (status != 0) return status;
  struct dc_port port = dc_esp32_port(&board->esp32);
  dc_init(&board->dc, &port);
  return 0;
}

static void stop(struct board *board) {
  dc_free(&board->dc);
  if (board->esp32.seeded) mbedtls_hmac_drbg_free(&board->esp32.drbg);
}

static int device_key(struct board *board, uint8_t point[DC_POINT_SIZE]) {
  dc_handle key;
  int status = dc_open_device_key(&board->dc, &key);
  return status != 0 ? status : dc_export_public_key(&board->dc, key, point);
}

static int holds(const struct chip_blob *blob, const uint8_t *secret) {
  for (size_t i = 0; i + DC_SCALAR_SIZE <= blob->length; i++)
    if (memcmp(blob->data + i, secret, DC_SCALAR_SIZE) == 0) return 1;
  return 0;
}

static void test_key_survives(struct suite *suite, int burnt) {
  struct board board;
  uint8_t first[DC_POINT_SIZE], second[DC_POINT_SIZE];
  uint32_t counter;
  chip_reset();
  chip.hmac_burnt = burnt;
  CHECK_STATUS(suite, 0, start(&board));
  CHECK_STATUS(suite, 0, device_key(&board, first));
  CHECK_STATUS(suite, 0, dc_next_device_counter(&board.dc, &counter));
  struct chip_blob *blob = chip_blob("device-a");
  CHECK(suite, blob != NULL);
  /* Sealed under the chip's own key where there is one. */
  for (size_t i = 0; i < DC_SLOTS; i++)
    if (board.dc.slots[i].kind == DC_KIND_P256)
      CHECK(suite, holds(blob, board.dc.slots[i].secret) == !burnt);
  stop(&board);
  CHECK_STATUS(suite, 0, start(&board));
  CHECK_STATUS(suite, 0, device_key(&board, second));
  CHECK_STATUS(suite, 0, dc_next_device_counter(&board.dc, &counter));
  CHECK(suite, counter == 2);
  CHECK(suite, memcmp(first, second, sizeof first) == 0);
  stop(&board);
  CHECK(suite, chip.violations == 0);
}

static void test_random(struct suite *suite) {
  struct board board;
  uint8_t first[2000], second[2000];
  chip_reset();
  CHECK_STATUS(suite, 0, start(&board));
  CHECK_STATUS(suite, 0, dc_generate_random(&board.dc, first, sizeof first));
  CHECK(suite, chip.boot_source_uses > 0 && !chip.boot_source_on);
  /* No source is on from here, and the bytes differ all the same. */
  unsigned uses = chip.boot_source_uses;
  CHECK_STATUS(suite, 0, dc_generate_random(&board.dc, second, sizeof second));
  CHECK(suite, chip.boot_source_uses == uses);
  CHECK(suite, memcmp(first, second, sizeof first) != 0);
  CHECK(suite, memcmp(first, first + 1000, 1000) != 0);
  stop(&board);

  chip_reset();
  chip.radio_on = true;
  CHECK_STATUS(suite, 0, start(&board));
  CHECK_STATUS(suite, 0, dc_generate_random(&board.dc, first, sizeof first));
  CHECK(suite, chip.boot_source_uses == 0);
  stop(&board);
  CHECK(suite, chip.violations == 0);
}

/* Past mbedTLS's own reseed interval of 10,000 requests. */
#define MANY 10100

/* Seeded once, at the start; from then on radio and converter are the program's alone. */
static void test_seeded_once(struct suite *suite) {
  struct board board;
  uint8_t out[4];
  chip_reset();
  CHECK_STATUS(suite, 0, start(&board));
  unsigned uses = chip.boot_source_uses;
  CHECK(suite, uses > 0 && board.esp32.seeded);
  for (int i = 0; i < MANY; i++)
    if (dc_generate_random(&board.dc, out, sizeof out) != 0) chip.violations++;
  CHECK(suite, chip.boot_source_uses == uses);
  stop(&board);
  CHECK(suite, chip.violations == 0);
}

static void test_readable_fuse(struct suite *suite) {
  struct board board;
  chip_reset();
  chip.hmac_burnt = chip.hmac_readable = true;
  CHECK_STATUS(suite, 0, start(&board));
  CHECK(suite, board.dc.port.hardware_key == NULL);
  stop(&board);
}

static void test_store(struct suite *suite) {
  struct board board;
  uint8_t out[DC_RECORD_MAX];
  size_t length;
  int present;
  chip_reset();
  CHECK_STATUS(suite, 0, start(&board));
  CHECK_STATUS(suite, DC_ABSENT, dc_read_record(&board.dc, TEXT("one"), out, &length));
  CHECK_STATUS(suite, 0, dc_write_record(&board.dc, TEXT("one"), TEXT("content")));
  CHECK_STATUS(suite, 0, dc_read_record(&board.dc, TEXT("one"), out, &length));
  CHECK(suite, length == 7 && memcmp(out, "content", 7) == 0);
  CHECK_STATUS(suite, 0, dc_erase_record(&board.dc, TEXT("one")));
  CHECK_STATUS(suite, 0, dc_erase_record(&board.dc, TEXT("one")));
  CHECK_STATUS(suite, DC_ABSENT, dc_read_record(&board.dc, TEXT("one"), out, &length));
  /* Asked for fewer bytes than there are. */
  CHECK_STATUS(suite, 0, device_key(&board, out));
  CHECK_STATUS(suite, 0, dc_has_key(&board.dc, TEXT("device"), &present));
  CHECK(suite, present);
  chip.writes_fail = true;
  CHECK_STATUS(suite, DC_ERR_STORE, dc_write_record(&board.dc, TEXT("one"), TEXT("content")));
  stop(&board);
  CHECK(suite, chip.violations == 0);
}

static void test_erase_all(struct suite *suite) {
  struct board board;
  uint8_t first[DC_POINT_SIZE], second[DC_POINT_SIZE];
  uint32_t count;
  chip_reset();
  CHECK_STATUS(suite, 0, start(&board));
  CHECK_STATUS(suite, 0, device_key(&board, first));
  CHECK_STATUS(suite, 0, dc_ring_append(&board.dc, TEXT("reading"), &count));
  chip.writes_fail = true;
  CHECK_STATUS(suite, DC_ERR_STORE, dc_erase_all(&board.dc));
  chip.writes_fail = false;
  CHECK_STATUS(suite, 0, dc_erase_all(&board.dc));
  CHECK(suite, chip_blob("device-a") == NULL && chip_blob("device-b") == NULL);
  CHECK(suite, chip.ring[0] == 0xff);
  CHECK_STATUS(suite, 0, dc_ring_count(&board.dc, &count));
  CHECK(suite, count == 0);
  CHECK_STATUS(suite, 0, device_key(&board, second));
  CHECK(suite, memcmp(first, second, sizeof first) != 0);
  stop(&board);
  CHECK(suite, chip.violations == 0);
}

static void test_ring(struct suite *suite) {
  struct board board;
  uint8_t out[DC_RING_ENTRY_MAX];
  uint32_t evicted, count;
  size_t length;
  chip_reset();
  CHECK_STATUS(suite, 0, start(&board));
  CHECK_STATUS(suite, 0, dc_ring_append(&board.dc, TEXT("reading"), &evicted));
  stop(&board);
  CHECK_STATUS(suite, 0, start(&board));
  CHECK_STATUS(suite, 0, dc_ring_peek(&board.dc, 0, out, &length));
  CHECK(suite, length == 7 && memcmp(out, "reading", 7) == 0);
  for (int i = 0; i < 2000; i++)
    if (dc_ring_append(&board.dc, TEXT("reading"), &evicted) != 0) chip.violations++;
  CHECK_STATUS(suite, 0, dc_ring_count(&board.dc, &count));
  CHECK(suite, count > 0 && count < 2001);
  stop(&board);
  CHECK(suite, chip.violations == 0);
}

static void test_refused(struct suite *suite) {
  struct dc_esp32 esp32;
  const char *reason;
  chip_reset();
  chip.has_partitions = false;
  CHECK_STATUS(suite, DC_ERR_STORE, dc_esp32_open(&esp32, &reason));
  chip_reset();
  chip.nvs_broken = true; /* and nothing is erased to mend it */
  memcpy(chip.blobs[0].key, "device-a", 9);
  CHECK_STATUS(suite, DC_ERR_STORE, dc_esp32_open(&esp32, &reason));
  CHECK(suite, chip_blob("device-a") != NULL);
  CHECK(suite, chip.violations == 0);
}

/* A wake of the board for the reason; what the session is then. */
static int wake(struct board *board, esp_reset_reason_t reason, dc_handle *key) {
  stop(board);
  chip.reset_reason = reason;
  int status = start(board);
  return status != 0 ? status : dc_resume_session(&board->dc, key);
}

static void test_sleep(struct suite *suite) {
  struct board board;
  dc_handle key;
  uint32_t number;
  chip_reset();
  CHECK_STATUS(suite, 0, start(&board));
  CHECK_STATUS(suite, DC_ABSENT, dc_resume_session(&board.dc, &key));
  CHECK_STATUS(suite, 0, dc_generate_key(&board.dc, DC_USAGE_ENCRYPT_SEQUENCE, &key));
  CHECK_STATUS(suite, 0, dc_reserve_sequence(&board.dc, key, &number));
  CHECK_STATUS(suite, 0, dc_keep_session(&board.dc, key));
  CHECK_STATUS(suite, 0, wake(&board, ESP_RST_DEEPSLEEP, &key));
  CHECK_STATUS(suite, 0, dc_reserve_sequence(&board.dc, key, &number));
  CHECK(suite, number == 2);
  dc_handle again;
  CHECK_STATUS(suite, DC_ABSENT, dc_resume_session(&board.dc, &again)); /* once */
  CHECK_STATUS(suite, 0, dc_keep_session(&board.dc, key));
  CHECK_STATUS(suite, DC_ABSENT, wake(&board, ESP_RST_POWERON, &key));
  /* What another reset found is gone. */
  CHECK_STATUS(suite, DC_ABSENT, wake(&board, ESP_RST_DEEPSLEEP, &key));
  CHECK_STATUS(suite, 0, dc_generate_key(&board.dc, DC_USAGE_ENCRYPT_SEQUENCE, &key));
  CHECK_STATUS(suite, 0, dc_keep_session(&board.dc, key));
  CHECK_STATUS(suite, 0, dc_erase_all(&board.dc));
  CHECK_STATUS(suite, DC_ABSENT, wake(&board, ESP_RST_DEEPSLEEP, &key));
  stop(&board);
  CHECK(suite, chip.violations == 0);
}

static void test_reset_reason(struct suite *suite) {
  static const uint32_t expected[] = {
      [ESP_RST_UNKNOWN] = DC_RESET_UNKNOWN,   [ESP_RST_POWERON] = DC_RESET_POWERON,
      [ESP_RST_EXT] = DC_RESET_EXT,           [ESP_RST_SW] = DC_RESET_SW,
      [ESP_RST_PANIC] = DC_RESET_PANIC,       [ESP_RST_INT_WDT] = DC_RESET_INT_WDT,
      [ESP_RST_TASK_WDT] = DC_RESET_TASK_WDT, [ESP_RST_WDT] = DC_RESET_WDT,
      [ESP_RST_DEEPSLEEP] = DC_RESET_DEEPSLEEP, [ESP_RST_BROWNOUT] = DC_RESET_BROWNOUT,
      [ESP_RST_SDIO] = DC_RESET_UNKNOWN, /* no such reset on these chips */
  };
  struct board board;
  chip_reset();
  CHECK_STATUS(suite, 0, start(&board));
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    chip.reset_reason = (esp_reset_reason_t)i;
    CHECK(suite, dc_reset_reason(&board.dc) == expected[i]);
  }
  stop(&board);
}

int main(void) {
  struct suite suite = {0, 0};
  test_key_survives(&suite, 0);
  test_key_survives(&suite, 1);
  test_random(&suite);
  test_seeded_once(&suite);
  test_readable_fuse(&suite);
  test_store(&suite);
  test_erase_all(&suite);
  test_ring(&suite);
  test_refused(&suite);
  test_sleep(&suite);
  test_reset_reason(&suite);
  printf("port to the ESP32: %u passed, %u failed\n", suite.passed, suite.failed);
  return suite.failed == 0 ? 0 : 1;
}

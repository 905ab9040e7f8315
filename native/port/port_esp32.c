/*
 * The port to the ESP32-C3 and -S3, on ESP-IDF 4.4 as Espruino builds it.
 *
 * Compiled against declarations of the ESP-IDF functions it uses, and run against a
 * stand-in for them (test/esp32/); never linked with ESP-IDF and never run on a chip.
 *
 * What it keeps: NVS writes are atomic. A value that is replaced or erased, eraseKey's
 * too, leaves its old bytes in flash until NVS takes the page back; only erase_all takes
 * all off the chip. With a block of eFuses burnt as an HMAC key (purpose HMAC_UP,
 * read-protected) the core stores private keys sealed from the next write on; what was
 * written before the fuse was burnt stays readable in old pages.
 */

#include "port_esp32.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <bootloader_random.h>
#include <esp_attr.h>
#include <esp_efuse.h>
#include <esp_random.h>
#include <esp_system.h>
#include <esp_wifi.h>
#include <mbedtls/platform_util.h>
#include <nvs_flash.h>

#define FAILED (-1)
/* Fresh bytes that go into each request, for what they are worth at the time. */
#define FRESH_SIZE 32u
/* NVS wants a name for what belongs together. */
#define NAMESPACE "devcrypto"

/*
 * Random bytes. The chip's source is a true one only while the radio or the boot-time
 * source feeds it, and a radio that saves power is off between beacons. So a generator
 * (HMAC_DRBG, NIST SP 800-90A) is seeded once, when the store is opened, and never again:
 * the boot-time source takes the analogue converter over, and the program may be using
 * that later on. The seed outlasts its source.
 */

/* With Wi-Fi started its radio is the source: the boot-time one would disturb it. */
static int true_random(void *context, unsigned char *out, size_t length) {
  (void)context;
  int8_t power;
  bool radio = esp_wifi_get_max_tx_power(&power) == ESP_OK; /* refused until Wi-Fi is started */
  if (!radio) bootloader_random_enable();
  esp_fill_random(out, length);
  if (!radio) bootloader_random_disable();
  return 0;
}

static int make_seed(void *context) {
  struct dc_esp32 *esp32 = context;
  if (esp32->seeded) return 0;
  const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
  static const unsigned char purpose[] = "coseflow";
  mbedtls_hmac_drbg_init(&esp32->drbg);
  if (mbedtls_hmac_drbg_seed(&esp32->drbg, sha256, true_random, NULL, purpose, sizeof purpose) != 0) {
    mbedtls_hmac_drbg_free(&esp32->drbg);
    return FAILED;
  }
  mbedtls_hmac_drbg_set_reseed_interval(&esp32->drbg, INT_MAX); /* SP 800-90A allows 2^48 */
  esp32->seeded = true;
  return 0;
}

static int fill_random(void *context, uint8_t *out, size_t length) {
  struct dc_esp32 *esp32 = context;
  if (make_seed(esp32) != 0) return FAILED;
  while (length > 0) {
    uint8_t fresh[FRESH_SIZE];
    size_t part = length < MBEDTLS_HMAC_DRBG_MAX_REQUEST ? length : MBEDTLS_HMAC_DRBG_MAX_REQUEST;
    esp_fill_random(fresh, sizeof fresh);
    if (mbedtls_hmac_drbg_random_with_add(&esp32->drbg, out, part, fresh, sizeof fresh) != 0)
      return FAILED;
    out += part;
    length -= part;
  }
  return 0;
}

/* The store: one value of NVS for each id. */

/* NVS gives a value whole or not at all. */
static int read_head(const struct dc_esp32 *esp32, const char *id, uint8_t *out, size_t capacity,
                     size_t length) {
  uint8_t *whole = malloc(length);
  if (whole == NULL) return FAILED;
  size_t got = length;
  int result = nvs_get_blob(esp32->nvs, id, whole, &got) == ESP_OK && got == length ? 0 : FAILED;
  if (result == 0) memcpy(out, whole, capacity);
  mbedtls_platform_zeroize(whole, length);
  free(whole);
  return result;
}

static int store_read(void *context, const char *id, uint8_t *out, size_t capacity,
                      size_t *length) {
  const struct dc_esp32 *esp32 = context;
  *length = 0;
  esp_err_t status = nvs_get_blob(esp32->nvs, id, NULL, length);
  if (status == ESP_ERR_NVS_NOT_FOUND) return DC_STORE_ABSENT;
  if (status != ESP_OK) return FAILED;
  if (*length > capacity) return read_head(esp32, id, out, capacity, *length);
  size_t got = *length;
  return nvs_get_blob(esp32->nvs, id, out, &got) == ESP_OK && got == *length ? 0 : FAILED;
}

static int store_write(void *context, const char *id, const uint8_t *data, size_t length) {
  const struct dc_esp32 *esp32 = context;
  if (nvs_set_blob(esp32->nvs, id, data, length) != ESP_OK) return FAILED;
  return nvs_commit(esp32->nvs) == ESP_OK ? 0 : FAILED;
}

static int store_erase(void *context, const char *id) {
  const struct dc_esp32 *esp32 = context;
  esp_err_t status = nvs_erase_key(esp32->nvs, id);
  if (status == ESP_ERR_NVS_NOT_FOUND) return 0;
  return status == ESP_OK && nvs_commit(esp32->nvs) == ESP_OK ? 0 : FAILED;
}

/* Not the default partition, which Espruino erases when NVS cannot use it. This one is
 * never erased for that: without its keys the device is another. */
static int open_store(struct dc_esp32 *esp32) {
  if (nvs_flash_init_partition(DC_ESP32_KEYS) != ESP_OK) return FAILED;
  esp_err_t status =
      nvs_open_from_partition(DC_ESP32_KEYS, NAMESPACE, NVS_READWRITE, &esp32->nvs);
  if (status == ESP_OK) return 0;
  nvs_flash_deinit_partition(DC_ESP32_KEYS);
  return FAILED;
}

/* Deep sleep. RTC_DATA_ATTR: kept over deep sleep, zero after every other reset. */

static RTC_DATA_ATTR struct {
  uint32_t length; /* 0: nothing */
  uint8_t data[DC_SLEEP_SIZE];
} kept;

static int sleep_keep(void *context, const uint8_t *data, size_t length) {
  (void)context;
  if (length > sizeof kept.data) return FAILED;
  memcpy(kept.data, data, length);
  kept.length = (uint32_t)length;
  return 0;
}

/* The memory is not trusted to be zero: the cause of the reset decides. */
static int sleep_take(void *context, uint8_t *out, size_t capacity, size_t *length) {
  (void)context;
  size_t size = kept.length;
  bool counts = esp_reset_reason() == ESP_RST_DEEPSLEEP && size > 0 && size <= sizeof kept.data &&
                size <= capacity;
  if (counts) memcpy(out, kept.data, size);
  mbedtls_platform_zeroize(&kept, sizeof kept);
  *length = counts ? size : 0;
  return counts ? 0 : DC_STORE_ABSENT;
}

/* By name: the numbers of another ESP-IDF may be others. */
static int reset_reason(void *context) {
  (void)context;
  switch (esp_reset_reason()) {
    case ESP_RST_POWERON: return DC_RESET_POWERON;
    case ESP_RST_EXT: return DC_RESET_EXT;
    case ESP_RST_SW: return DC_RESET_SW;
    case ESP_RST_PANIC: return DC_RESET_PANIC;
    case ESP_RST_INT_WDT: return DC_RESET_INT_WDT;
    case ESP_RST_TASK_WDT: return DC_RESET_TASK_WDT;
    case ESP_RST_WDT: return DC_RESET_WDT;
    case ESP_RST_DEEPSLEEP: return DC_RESET_DEEPSLEEP;
    case ESP_RST_BROWNOUT: return DC_RESET_BROWNOUT;
    default: return DC_RESET_UNKNOWN;
  }
}

/* Sector by sector in the chip; the store is open again afterwards, if it can be. */
static int erase_all(void *context) {
  struct dc_esp32 *esp32 = context;
  mbedtls_platform_zeroize(&kept, sizeof kept);
  nvs_close(esp32->nvs);
  nvs_flash_deinit_partition(DC_ESP32_KEYS);
  esp_err_t keys = esp_partition_erase_range(esp32->keys, 0, esp32->keys->size);
  esp_err_t ring = esp_partition_erase_range(esp32->ring, 0, esp32->ring->size);
  int opened = open_store(esp32);
  return keys == ESP_OK && ring == ESP_OK ? opened : FAILED;
}

static int hardware_key(void *context, const uint8_t *label, size_t length, uint8_t out[32]) {
  const struct dc_esp32 *esp32 = context;
  return esp_hmac_calculate(esp32->hmac_key, label, length, out) == ESP_OK ? 0 : FAILED;
}

/* A block that software can read would protect nothing. */
static hmac_key_id_t find_hmac_key(void) {
  esp_efuse_block_t block;
  if (!esp_efuse_find_purpose(ESP_EFUSE_KEY_PURPOSE_HMAC_UP, &block) ||
      !esp_efuse_get_key_dis_read(block))
    return HMAC_KEY_MAX;
  return (hmac_key_id_t)(HMAC_KEY0 + (block - EFUSE_BLK_KEY0));
}

/* The ring's flash. */

static int flash_read(void *context, uint32_t offset, uint8_t *out, size_t length) {
  const struct dc_esp32 *esp32 = context;
  return esp_partition_read(esp32->ring, offset, out, length) == ESP_OK ? 0 : FAILED;
}

static int flash_write(void *context, uint32_t offset, const uint8_t *data, size_t length) {
  const struct dc_esp32 *esp32 = context;
  return esp_partition_write(esp32->ring, offset, data, length) == ESP_OK ? 0 : FAILED;
}

static int flash_erase(void *context, uint32_t offset) {
  const struct dc_esp32 *esp32 = context;
  return esp_partition_erase_range(esp32->ring, offset, DC_FLASH_SECTOR) == ESP_OK ? 0 : FAILED;
}

int dc_esp32_open(struct dc_esp32 *esp32, const char **reason) {
  memset(esp32, 0, sizeof *esp32);
  esp32->hmac_key = find_hmac_key();
  esp32->keys = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY,
                                         DC_ESP32_KEYS);
  esp32->ring = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY,
                                         DC_ESP32_RING);
  *reason = "expected the partitions " DC_ESP32_KEYS " and " DC_ESP32_RING ", got none";
  if (esp32->keys == NULL || esp32->ring == NULL) return DC_ERR_STORE;
  *reason = "expected to open the partition " DC_ESP32_KEYS ", got a failure";
  if (open_store(esp32) != 0) return DC_ERR_STORE;
  *reason = "expected a seeded random generator, got a failure";
  if (make_seed(esp32) == 0) return 0;
  nvs_close(esp32->nvs);
  nvs_flash_deinit_partition(DC_ESP32_KEYS);
  return DC_ERR_STORE;
}

struct dc_port dc_esp32_port(struct dc_esp32 *esp32) {
  struct dc_port port = {
      .context = esp32,
      .random = fill_random,
      .store_read = store_read,
      .store_write = store_write,
      .store_erase = store_erase,
      .random_ready = make_seed,
      .hardware_key = esp32->hmac_key == HMAC_KEY_MAX ? NULL : hardware_key,
      .erase_all = erase_all,
      .flash_read = flash_read,
      .flash_write = flash_write,
      .flash_erase = flash_erase,
      .flash_sectors = esp32->ring->size / DC_FLASH_SECTOR,
      .sleep_keep = sleep_keep,
      .sleep_take = sleep_take,
      .reset_reason = reset_reason,
  };
  return port;
}

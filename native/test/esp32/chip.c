#include "chip.h"

#include <string.h>

#include "bootloader_random.h"
#include "esp_efuse.h"
#include "esp_hmac.h"
#include "esp_random.h"
#include "esp_wifi.h"
#include "internal.h"
#include "nvs.h"
#include "nvs_flash.h"

#define HANDLE 7u

struct chip chip;

static const esp_partition_t keys_partition = {0x3f0000, CHIP_KEYS_SIZE};
static const esp_partition_t ring_partition = {0x3a0000, CHIP_RING_SIZE};

void chip_reset(void) {
  memset(&chip, 0, sizeof chip);
  memset(chip.ring, 0xff, sizeof chip.ring);
  chip.has_partitions = true;
  chip.random_state = 1;
}

static void must(bool condition) { chip.violations += !condition; }

struct chip_blob *chip_blob(const char *key) {
  for (size_t i = 0; i < CHIP_BLOBS; i++)
    if (chip.blobs[i].key[0] != '\0' && strcmp(chip.blobs[i].key, key) == 0) return &chip.blobs[i];
  return NULL;
}

/* Pseudo-random while no source is on, and then the same each time: so that a test sees it. */
void esp_fill_random(void *out, size_t length) {
  uint8_t *bytes = out;
  bool real = chip.radio_on || chip.boot_source_on;
  for (size_t i = 0; i < length; i++) {
    if (real) chip.random_state = chip.random_state * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = real ? (uint8_t)(chip.random_state >> 56) : 0xaa;
  }
}

void bootloader_random_enable(void) {
  must(!chip.radio_on && !chip.boot_source_on);
  chip.boot_source_on = true;
  chip.boot_source_uses++;
}

void bootloader_random_disable(void) {
  must(chip.boot_source_on);
  chip.boot_source_on = false;
}

esp_err_t esp_wifi_get_max_tx_power(int8_t *power) {
  *power = 80;
  return chip.radio_on ? ESP_OK : ESP_ERR_WIFI_NOT_STARTED;
}

esp_reset_reason_t esp_reset_reason(void) { return chip.reset_reason; }

bool esp_efuse_find_purpose(esp_efuse_purpose_t purpose, esp_efuse_block_t *block) {
  must(purpose == ESP_EFUSE_KEY_PURPOSE_HMAC_UP);
  if (chip.hmac_burnt) *block = (esp_efuse_block_t)(EFUSE_BLK_KEY0 + 3);
  return chip.hmac_burnt;
}

bool esp_efuse_get_key_dis_read(esp_efuse_block_t block) {
  must(block == (esp_efuse_block_t)(EFUSE_BLK_KEY0 + 3));
  return !chip.hmac_readable;
}

/* Another value for each message is all that the port may count on. */
esp_err_t esp_hmac_calculate(hmac_key_id_t key, const void *message, size_t length, uint8_t *hmac) {
  must(key == HMAC_KEY3);
  struct dc_bytes bytes = {message, length};
  return dc_hash_compute(bytes, hmac) == 0 ? ESP_OK : ESP_FAIL;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype,
                                                const char *label) {
  must(type == ESP_PARTITION_TYPE_DATA && subtype == ESP_PARTITION_SUBTYPE_ANY);
  if (!chip.has_partitions) return NULL;
  if (strcmp(label, "devkeys") == 0) return &keys_partition;
  return strcmp(label, "ring") == 0 ? &ring_partition : NULL;
}

static bool fits(const esp_partition_t *partition, size_t offset, size_t size) {
  bool inside = offset <= partition->size && size <= partition->size - offset;
  must(inside);
  return inside;
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t offset, void *out,
                             size_t size) {
  if (partition != &ring_partition || !fits(partition, offset, size)) return ESP_FAIL;
  memcpy(out, chip.ring + offset, size);
  return ESP_OK;
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t offset, const void *data,
                              size_t size) {
  const uint8_t *bytes = data;
  if (partition != &ring_partition || !fits(partition, offset, size) || chip.writes_fail)
    return ESP_FAIL;
  for (size_t i = 0; i < size; i++) chip.ring[offset + i] &= bytes[i];
  return ESP_OK;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size) {
  must(offset % DC_FLASH_SECTOR == 0 && size % DC_FLASH_SECTOR == 0);
  if (!fits(partition, offset, size) || chip.writes_fail) return ESP_FAIL;
  if (partition == &ring_partition) {
    memset(chip.ring + offset, 0xff, size);
  } else {
    must(!chip.mounted && offset == 0 && size == CHIP_KEYS_SIZE); /* not below a running NVS */
    memset(chip.blobs, 0, sizeof chip.blobs);
  }
  return ESP_OK;
}

esp_err_t nvs_flash_init_partition(const char *label) {
  must(strcmp(label, "devkeys") == 0 && !chip.mounted);
  chip.mounted = !chip.nvs_broken;
  return chip.mounted ? ESP_OK : ESP_FAIL;
}

esp_err_t nvs_flash_deinit_partition(const char *label) {
  must(strcmp(label, "devkeys") == 0 && chip.mounted && !chip.open);
  chip.mounted = false;
  return ESP_OK;
}

esp_err_t nvs_open_from_partition(const char *partition, const char *name, nvs_open_mode_t mode,
                                  nvs_handle_t *handle) {
  must(strcmp(partition, "devkeys") == 0 && strlen(name) < 16 && mode == NVS_READWRITE);
  must(chip.mounted);
  chip.open = true;
  *handle = HANDLE;
  return ESP_OK;
}

void nvs_close(nvs_handle_t handle) {
  must(handle == HANDLE && chip.open);
  chip.open = false;
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out, size_t *length) {
  must(handle == HANDLE && chip.open);
  const struct chip_blob *blob = chip_blob(key);
  if (blob == NULL) return ESP_ERR_NVS_NOT_FOUND;
  if (out != NULL && *length < blob->length) return ESP_ERR_NVS_INVALID_LENGTH;
  *length = blob->length;
  if (out != NULL) memcpy(out, blob->data, blob->length);
  return ESP_OK;
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t length) {
  must(handle == HANDLE && chip.open && strlen(key) < 16 && length <= CHIP_BLOB_SIZE);
  if (chip.writes_fail) return ESP_FAIL;
  struct chip_blob *blob = chip_blob(key);
  for (size_t i = 0; blob == NULL && i < CHIP_BLOBS; i++)
    if (chip.blobs[i].key[0] == '\0') blob = &chip.blobs[i];
  if (blob == NULL) return ESP_FAIL;
  memcpy(blob->key, key, strlen(key) + 1);
  memcpy(blob->data, value, length);
  blob->length = length;
  return ESP_OK;
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key) {
  must(handle == HANDLE && chip.open);
  struct chip_blob *blob = chip_blob(key);
  if (blob == NULL) return ESP_ERR_NVS_NOT_FOUND;
  memset(blob, 0, sizeof *blob);
  return ESP_OK;
}

esp_err_t nvs_commit(nvs_handle_t handle) {
  must(handle == HANDLE && chip.open);
  return ESP_OK;
}

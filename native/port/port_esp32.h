#ifndef DC_PORT_ESP32_H
#define DC_PORT_ESP32_H

#include <esp_hmac.h>
#include <esp_partition.h>
#include <mbedtls/hmac_drbg.h>
#include <nvs.h>

#include "dc.h"

/** Labels in the partition table (native/espruino/boards/partitions.csv). */
#define DC_ESP32_KEYS "devkeys"
#define DC_ESP32_RING "ring"

/** An ESP32-C3 or -S3. */
struct dc_esp32 {
  nvs_handle_t nvs;
  const esp_partition_t *keys, *ring;
  hmac_key_id_t hmac_key; /* HMAC_KEY_MAX: no block of eFuses is burnt for it */
  mbedtls_hmac_drbg_context drbg;
  bool seeded;
};

/** Opens the two partitions. DC_ERR_STORE, and in `reason` what was expected. */
int dc_esp32_open(struct dc_esp32 *esp32, const char **reason);

/** The port over what was opened. `esp32` must outlive it. */
struct dc_port dc_esp32_port(struct dc_esp32 *esp32);

#endif

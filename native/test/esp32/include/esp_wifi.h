#ifndef DC_TEST_ESP_WIFI_H
#define DC_TEST_ESP_WIFI_H

#include <stdint.h>

#include "esp_err.h"

#define ESP_ERR_WIFI_NOT_STARTED 0x3002

esp_err_t esp_wifi_get_max_tx_power(int8_t *power);

#endif

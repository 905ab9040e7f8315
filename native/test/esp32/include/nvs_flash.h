#ifndef DC_TEST_NVS_FLASH_H
#define DC_TEST_NVS_FLASH_H

#include "esp_err.h"

esp_err_t nvs_flash_init_partition(const char *label);
esp_err_t nvs_flash_deinit_partition(const char *label);

#endif

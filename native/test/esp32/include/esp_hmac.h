#ifndef DC_TEST_ESP_HMAC_H
#define DC_TEST_ESP_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

typedef enum {
  HMAC_KEY0 = 0,
  HMAC_KEY1,
  HMAC_KEY2,
  HMAC_KEY3,
  HMAC_KEY4,
  HMAC_KEY5,
  HMAC_KEY_MAX
} hmac_key_id_t;

esp_err_t esp_hmac_calculate(hmac_key_id_t key, const void *message, size_t length, uint8_t *hmac);

#endif

#ifndef DC_TEST_ESP_EFUSE_H
#define DC_TEST_ESP_EFUSE_H

#include <stdbool.h>

typedef enum { EFUSE_BLK_KEY0 = 4, EFUSE_BLK_KEY5 = 9 } esp_efuse_block_t;
typedef enum { ESP_EFUSE_KEY_PURPOSE_HMAC_UP = 8 } esp_efuse_purpose_t;

bool esp_efuse_find_purpose(esp_efuse_purpose_t purpose, esp_efuse_block_t *block);
bool esp_efuse_get_key_dis_read(esp_efuse_block_t block);

#endif

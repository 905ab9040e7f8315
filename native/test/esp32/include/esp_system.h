#ifndef DC_TEST_ESP_SYSTEM_H
#define DC_TEST_ESP_SYSTEM_H

typedef enum { ESP_RST_UNKNOWN, ESP_RST_POWERON, ESP_RST_DEEPSLEEP = 8 } esp_reset_reason_t;

esp_reset_reason_t esp_reset_reason(void);

#endif

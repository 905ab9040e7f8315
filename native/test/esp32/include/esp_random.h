#ifndef DC_TEST_ESP_RANDOM_H
#define DC_TEST_ESP_RANDOM_H

#include <stddef.h>

void esp_fill_random(void *out, size_t length);

#endif

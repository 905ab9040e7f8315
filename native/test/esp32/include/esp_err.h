#ifndef DC_TEST_ESP_ERR_H
#define DC_TEST_ESP_ERR_H

/* Declarations of the ESP-IDF 4.4 functions that port_esp32.c uses, as its manual gives
 * them, and no others: for tests only. This file and those beside it. */

typedef int esp_err_t;

#define ESP_OK 0
#define ESP_FAIL (-1)

#endif

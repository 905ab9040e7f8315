#ifndef DC_TEST_ESP_ROM_CRC_H
#define DC_TEST_ESP_ROM_CRC_H

#include <stdint.h>

uint32_t esp_rom_crc32_le(uint32_t crc, uint8_t const *data, uint32_t length);

#endif

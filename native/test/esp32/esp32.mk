# The port to the ESP32. There is no ESP-IDF here, so it is compiled against declarations
# of what it uses (for RV32 too, where that compiler is), and run over a stand-in of it.

ESP32 := port/port_esp32.c espruino/host_esp32.c
ESP32_TESTS := $(wildcard test/esp32/*.c)
ESP32_FLAGS := -std=c99 $(WARNINGS) -Itest/esp32/include -Icore -Iport -Iespruino

.PHONY: esp32 esp32-rv32
test: esp32
esp32: $(BUILD)/esp32-tests
	$(BUILD)/esp32-tests

# mbedTLS's headers alone of /usr/include, configured as for a chip.
esp32-rv32:
	@mkdir -p $(BUILD)/esp32-headers
	@ln -sfn /usr/include/mbedtls $(BUILD)/esp32-headers/mbedtls
	@sh with.sh "riscv64-unknown-elf-gcc" "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf" \
	  riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32 -specs=picolibc.specs -fsyntax-only \
	  $(ESP32_FLAGS) -isystem $(BUILD)/esp32-headers -DMBEDTLS_CONFIG_FILE='"$(CURDIR)/mbedtls/config.h"' $(ESP32)

esp32_objects := $(patsubst %.c,$(BUILD)/esp32/%.o,$(CORE) port/port_esp32.c $(ESP32_TESTS))
$(BUILD)/esp32/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ESP32_FLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<
$(BUILD)/esp32-tests: $(esp32_objects)
	$(CC) $(SANITIZE) -o $@ $^ $(MBEDCRYPTO)

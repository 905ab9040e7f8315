# The core and mbedTLS for RV32IMC (an ESP32-C3's instruction set) under QEMU: the host
# tests there, then figures that are compared with size.json. RECORD=1 writes them instead.

RV32_CC := riscv64-unknown-elf-gcc
RV32_CPU := -march=rv32imc -mabi=ilp32 -specs=picolibc.specs
RV32_CFLAGS := $(RV32_CPU) -Os -ffunction-sections -fdata-sections
RV32_MEMORY := -Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=0x200000 \
  -Wl,--defsym=__ram=0x80200000,--defsym=__ram_size=0x400000,--defsym=__stack_size=0x40000
RV32_LINK := $(RV32_CPU) --oslib=semihost --crt0=hosted -Wl,--gc-sections $(RV32_MEMORY)
# What the program prints comes out on stderr.
RV32_RUN := qemu-system-riscv32 -M virt -bios none -nographic -semihosting-config enable=on,target=native
# One tick for each instruction, so that counts are exact and repeatable.
RV32_COUNT := -icount shift=0

RV32_TOOLS := $(RV32_CC) qemu-system-riscv32 node dpkg-source
RV32_PACKAGES := gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc dpkg-dev

.PHONY: rv32 rv32-2.28 rv32-3.6
rv32:
	@sh with.sh "$(RV32_TOOLS) source:bookworm source:trixie" "$(RV32_PACKAGES)" \
	  $(MAKE) --no-print-directory rv32-2.28 rv32-3.6

define rv32_rules
$(call mbedtls_library,$(1),rv32,$(RV32_CC),$(RV32_CFLAGS))

$(BUILD)/rv32-$(1)/%.o: %.c $(MBEDTLS_INPUTS)
	@mkdir -p $$(@D)
	$(RV32_CC) -std=c99 $(WARNINGS) -Wno-format -MMD -MP $(RV32_CFLAGS) $(call mbedtls_flags,$(1)) -Icore -Iport -Itest -Ifuzz -c -o $$@ $$<

$(BUILD)/rv32-$(1)/tests.elf: $(RV32_CORE:%.c=$(BUILD)/rv32-$(1)/%.o) $(RV32_TESTS:%.c=$(BUILD)/rv32-$(1)/%.o) $(BUILD)/rv32-$(1)/libmbedcrypto.a
	$(RV32_CC) $(RV32_LINK) -o $$@ $$^

# All of the core counts, also what the figures' program does not call.
$(BUILD)/rv32-$(1)/figures.elf: $(RV32_CORE:%.c=$(BUILD)/rv32-$(1)/%.o) $(RV32_BENCH:%.c=$(BUILD)/rv32-$(1)/%.o) $(BUILD)/rv32-$(1)/libmbedcrypto.a
	$(RV32_CC) $(RV32_LINK) -Wl,--wrap=calloc,--wrap=free -Wl,-Map=$$(@:.elf=.map) \
	  $$$$($(RV32_CC:gcc=nm) -g --defined-only -f posix $$(filter %.o,$$^) | sed -n 's/^\(dc_[a-z0-9_]*\) T .*/-Wl,-u,\1/p') -o $$@ $$^

rv32-$(1): $(BUILD)/rv32-$(1)/tests.elf $(BUILD)/rv32-$(1)/figures.elf
	@echo "host tests on RV32IMC, mbedTLS $(1):"
	$(RV32_RUN) -kernel $(BUILD)/rv32-$(1)/tests.elf
	$(RV32_RUN) $(RV32_COUNT) -kernel $(BUILD)/rv32-$(1)/figures.elf 2>$(BUILD)/rv32-$(1)/figures.txt || \
	  { cat $(BUILD)/rv32-$(1)/figures.txt >&2; exit 1; }
	node rv32/report.mjs $(1) $(BUILD)/rv32-$(1) "$$$$(cat $(SOURCES)/$(SUITE_$(1))/version)" $(if $(RECORD),--record)
endef

RV32_CORE := $(CORE)
RV32_TESTS := $(HOST_TESTS) port/port_test.c
RV32_BENCH := rv32/main.c rv32/meter.c fuzz/certificates.c port/port_test.c
$(eval $(call rv32_rules,2.28))
$(eval $(call rv32_rules,3.6))

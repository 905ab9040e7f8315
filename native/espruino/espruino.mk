# Espruino on Linux brings an mbedTLS of its own. Linked side by side, names of the one would
# mix with the other's without a message, and signatures and TLS both break. So core, port and
# our mbedTLS become one object in which only the names of the core and the port are global.

# Only a static library can be linked into the object; make says so where there is none.
ESPRUINO_MBEDTLS := $(foreach name,mbedx509 mbedcrypto,$(shell $(CC) -print-file-name=lib$(name).a))
OBJCOPY ?= objcopy

.PHONY: espruino
espruino: $(BUILD)/devcrypto-espruino.o

$(BUILD)/devcrypto-espruino.o: $(CORE:%.c=$(BUILD)/%.o) $(BUILD)/port/port_posix.o $(ESPRUINO_MBEDTLS)
	$(LD) -r -o $@.all $(filter %.o,$^) --start-group $(filter %.a,$^) --end-group
	$(OBJCOPY) --wildcard --keep-global-symbol='dc_*' $@.all $@.new
	rm $@.all
	mv $@.new $@

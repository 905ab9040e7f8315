# What is run over the core beside its tests.

# Reads cases on stdin, judges each: test/native/wycheproof.test.ts feeds it.
.PHONY: wycheproof
wycheproof: $(BUILD)/wycheproof
WYCHEPROOF := $(wildcard test/wycheproof/*.c)
$(BUILD)/sanitized/test/wycheproof/%.o: CFLAGS += -DDC_TEST
$(BUILD)/wycheproof: $(library) $(WYCHEPROOF:%.c=$(BUILD)/sanitized/%.o)
	$(CC) $(SANITIZE) -o $@ $^ $(MBEDCRYPTO)

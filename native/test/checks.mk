# What is run over the core beside its tests: all that takes seconds belongs to `test`,
# the rest to `nightly`.

test: wycheproof coverage valgrind secrets fuzz

# Reads cases on stdin, judges each: test/native/wycheproof.test.ts feeds it.
.PHONY: wycheproof
wycheproof: $(BUILD)/wycheproof
WYCHEPROOF := $(wildcard test/wycheproof/*.c)
$(BUILD)/sanitized/test/wycheproof/%.o: CFLAGS += -DDC_TEST
$(BUILD)/wycheproof: $(library) $(WYCHEPROOF:%.c=$(BUILD)/sanitized/%.o)
	$(CC) $(SANITIZE) -o $@ $^ $(MBEDCRYPTO)

# Lines of the core that the host tests reach; below COVERAGE_MIN percent is a failure.
COVERAGE_MIN := 95
.PHONY: coverage
covered := $(CORE:%.c=$(BUILD)/coverage/%.o)
$(BUILD)/coverage/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) -O0 -g --coverage -Icore -Iport -Itest -c -o $@ $<
$(BUILD)/coverage/tests: $(covered) $(HOST:%.c=$(BUILD)/coverage/%.o) $(HOST_TESTS:%.c=$(BUILD)/coverage/%.o)
	$(CC) --coverage $(TEST_LINK) -o $@ $^ $(MBEDCRYPTO)
coverage: $(BUILD)/coverage/tests
	@find $(BUILD)/coverage -name '*.gcda' -delete
	@$(BUILD)/coverage/tests
	@gcov -n $(covered) | awk -v least=$(COVERAGE_MIN) -f test/coverage.awk

# The host tests without the sanitizers, under valgrind: it follows mbedTLS as well.
.PHONY: valgrind secrets secrets-run
$(BUILD)/plain-tests: $(CORE:%.c=$(BUILD)/%.o) $(HOST:%.c=$(BUILD)/%.o) $(HOST_TESTS:%.c=$(BUILD)/%.o)
	$(CC) $(TEST_LINK) -o $@ $^ $(MBEDCRYPTO)
valgrind: $(BUILD)/plain-tests
	@sh with.sh valgrind valgrind valgrind -q --leak-check=full --show-leak-kinds=all --error-exitcode=1 $< quick

# Branches and addresses that depend on a secret: those we know and say why, and no others.
$(BUILD)/secrets: $(CORE:%.c=$(BUILD)/%.o) $(BUILD)/port/port_test.o $(BUILD)/test/secrets/main.o
	$(CC) -o $@ $^ $(MBEDCRYPTO)
secrets:
	@sh with.sh "valgrind node" "valgrind nodejs" $(MAKE) --no-print-directory secrets-run
secrets-run: $(BUILD)/secrets
	node test/secrets/report.mjs $<

# The host tests over mbedTLS 3.6, from Debian's source.
.PHONY: test36 test36-run
test36:
	@sh with.sh "$(CC) dpkg-source source:trixie" "gcc libc6-dev dpkg-dev" $(MAKE) --no-print-directory test36-run
$(eval $(call mbedtls_library,3.6,host,$(CC),-O2 -g))
$(BUILD)/host-3.6/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(SANITIZE) $(call mbedtls_flags,3.6) -Icore -Iport -Itest -c -o $@ $<
sources36 := $(CORE) $(HOST) $(HOST_TESTS)
$(BUILD)/host-3.6/tests: $(sources36:%.c=$(BUILD)/host-3.6/%.o) $(BUILD)/host-3.6/libmbedcrypto.a
	$(CC) $(SANITIZE) $(TEST_LINK) -o $@ $^
test36-run: $(BUILD)/host-3.6/tests
	$<

# What takes too long for every change: the other target, the other mbedTLS, half an hour of fuzzing.
.PHONY: nightly
nightly: test
	$(MAKE) rv32
	$(MAKE) test36
	$(MAKE) fuzz INSTRUMENTED=1 SECONDS=$(if $(filter 2,$(SECONDS)),300,$(SECONDS))

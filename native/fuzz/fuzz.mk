# libFuzzer on every function that takes bytes from outside, each for SECONDS. Debian's
# mbedTLS by default; INSTRUMENTED=1 takes 2.28's source, so that the fuzzer sees its
# branches as well and the sanitizers its memory.

SECONDS ?= 2
FUZZ_CC := clang
FUZZ_FLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_TARGETS := aead agreement verify key_record record ring certificate
FUZZ_TOOLS := $(FUZZ_CC)
FUZZ_PACKAGES := clang libclang-rt-dev
FUZZ := $(BUILD)/fuzz
FUZZ_SHARED := host.c certificates.c

ifdef INSTRUMENTED
FUZZ := $(BUILD)/fuzz-instrumented
FUZZ_MBEDTLS := $(BUILD)/fuzz-2.28/libmbedcrypto.a
FUZZ_INCLUDE := $(call mbedtls_flags,2.28)
FUZZ_TOOLS += dpkg-source source:bookworm
FUZZ_PACKAGES += dpkg-dev
$(eval $(call mbedtls_library,2.28,fuzz,$(FUZZ_CC),$(FUZZ_FLAGS)))
else
FUZZ_MBEDTLS := $(subst libmbedcrypto,libmbedx509,$(subst -lmbedcrypto,-lmbedx509,$(MBEDCRYPTO))) $(MBEDCRYPTO)
endif

.PHONY: fuzz fuzz-run
fuzz:
	@sh with.sh "$(FUZZ_TOOLS)" "$(FUZZ_PACKAGES)" $(MAKE) --no-print-directory fuzz-run

$(FUZZ)/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(filter-out -Wpedantic,$(BASE)) $(FUZZ_FLAGS) $(FUZZ_INCLUDE) -Icore -Ifuzz -c -o $@ $<

fuzz_common := $(CORE:%.c=$(FUZZ)/%.o) $(FUZZ_SHARED:%.c=$(FUZZ)/fuzz/%.o)
$(FUZZ)/run-%: $(FUZZ)/fuzz/%.o $(fuzz_common) $(filter %.a,$(FUZZ_MBEDTLS))
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $< $(fuzz_common) $(FUZZ_MBEDTLS)
$(FUZZ)/seeds: $(FUZZ)/fuzz/seeds.o $(fuzz_common) $(filter %.a,$(FUZZ_MBEDTLS))
	$(FUZZ_CC) -fsanitize=address,undefined -o $@ $< $(fuzz_common) $(FUZZ_MBEDTLS)

# What was found in earlier runs is kept in the corpus; a crash leaves its input in FUZZ.
fuzz-run: $(FUZZ)/seeds $(FUZZ_TARGETS:%=$(FUZZ)/run-%)
	@set -e; for target in $(FUZZ_TARGETS); do \
	  mkdir -p $(FUZZ)/corpus/$$target $(FUZZ)/given/$$target; \
	  $(FUZZ)/seeds $$target $(FUZZ)/given/$$target; \
	  $(FUZZ)/run-$$target -max_total_time=$(SECONDS) -timeout=10 -max_len=4096 -print_final_stats=1 \
	    -artifact_prefix=$(FUZZ)/ $(FUZZ)/corpus/$$target $(FUZZ)/given/$$target >$(FUZZ)/$$target.log 2>&1 \
	    || { tail -40 $(FUZZ)/$$target.log; exit 1; }; \
	  echo "fuzz $$target: $$(sed -n 's/^stat::number_of_executed_units: *//p' $(FUZZ)/$$target.log) runs, nothing found"; \
	done

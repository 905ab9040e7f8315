# mbedTLS from Debian's source package, which with.sh fetches: 2.28 of bookworm, 3.6 of trixie.

SOURCES := ../build/mbedtls
SUITE_2.28 := bookworm
SUITE_3.6 := trixie

# $(call mbedtls_flags,VERSION): what a file that includes mbedTLS is compiled with.
mbedtls_flags = -isystem $(SOURCES)/$(SUITE_$(1))/source/include -DMBEDTLS_CONFIG_FILE='"$(CURDIR)/mbedtls/config.h"'

MBEDTLS_INPUTS := mbedtls/config.h mbedtls/build.sh
# $(call mbedtls_library,VERSION,FLAVOUR,COMPILER,FLAGS): the rule for $(BUILD)/FLAVOUR-VERSION/libmbedcrypto.a.
define mbedtls_library
$(BUILD)/$(2)-$(1)/libmbedcrypto.a: $(MBEDTLS_INPUTS) $(wildcard $(SOURCES)/$(SUITE_$(1))/version)
	@mkdir -p $$(@D)
	sh mbedtls/build.sh $(SOURCES)/$(SUITE_$(1))/source $$@ $(3) $(4)
endef

# AES and SHA-256 of Mbed TLS for MicroPython's `cryptolib` and `hashlib`, the same source in the image and in the Unix
# interpreter. MBEDTLS names an unpacked Mbed TLS tree.
METER_MBEDTLS := $(USERMOD_DIR)

ifeq ($(wildcard $(MBEDTLS)/library/aes.c),)
$(error MBEDTLS must name an Mbed TLS tree: run `make firmware`)
endif

SRC_USERMOD_LIB_C += $(addprefix $(MBEDTLS)/library/,aes.c constant_time.c platform_util.c sha256.c)
CFLAGS_USERMOD += -I$(MBEDTLS)/include -I$(METER_MBEDTLS) -DMBEDTLS_CONFIG_FILE='"meter_mbedtls.h"'

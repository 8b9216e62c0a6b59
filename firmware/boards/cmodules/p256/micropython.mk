# ECDSA signatures of updates, verified by Mbed TLS: the module `p256`, and what the image's loader calls.
METER_P256 := $(USERMOD_DIR)

SRC_USERMOD_C += $(METER_P256)/modp256.c
SRC_USERMOD_LIB_C += $(addprefix $(METER_P256)/,arena.c p256.c)
SRC_USERMOD_LIB_C += $(addprefix $(MBEDTLS)/library/,asn1parse.c asn1write.c bignum.c bignum_core.c ecdsa.c ecp.c ecp_curves.c)
CFLAGS_USERMOD += -I$(METER_P256)

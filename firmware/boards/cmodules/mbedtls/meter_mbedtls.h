// Mbed TLS, cut to what the wire and updates need: AES-128 blocks, SHA-256, and ECDSA signatures on P-256 verified.
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_CIPHER_MODE_CBC
#define MBEDTLS_CIPHER_MODE_CTR
#define MBEDTLS_SHA256_C

// Nothing of ASN.1 is called; Mbed TLS wants it beside ECDSA, and the linker leaves it out.
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_WINDOW_SIZE 2  // small tables: RAM is scarcer than time
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0

// Its numbers live in the arena of p256/arena.c: neither MicroPython's heap nor a C library's has to have room.
#include <stddef.h>
void *arena_calloc(size_t count, size_t size);
void arena_free(void *block);
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO arena_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO arena_free

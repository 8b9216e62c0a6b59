// ECDSA on P-256 (FIPS 186-5) over Mbed TLS, for the loader and for MicroPython's module `p256`. Verifies, never signs.
#ifndef METER_P256_H
#define METER_P256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { P256_KEY_BYTES = 64, P256_DIGEST_BYTES = 32, P256_SIGNATURE_BYTES = 64, P256_ARENA_BYTES = 2560 };

// Whether `signature` (r | s) is that of `key` (x | y) over a message whose SHA-256 is `digest`. Never twice at once.
bool p256_verify(const uint8_t *key, const uint8_t *digest, const uint8_t *signature);

// What a verification takes of the stack, measured 1,084 bytes with its callers (docs/adr/0071).
enum { P256_STACK_BYTES = 1536 };

// Mbed TLS's memory, in arena.c; declared for it in meter_mbedtls.h.
void arena_clear(void);
void *arena_calloc(size_t count, size_t size);
void arena_free(void *block);

#endif

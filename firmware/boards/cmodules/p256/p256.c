// One verification: key and signature are read into numbers, the key must be a point of the curve, ECDSA says the rest.
#include <string.h>

#include "p256.h"

#include "mbedtls/ecdsa.h"

enum { HALF = 32, UNCOMPRESSED = 4 };

// The curve and all numbers lie in the arena, which is cleared as a whole: nothing is given back one by one.
bool p256_verify(const uint8_t *key, const uint8_t *digest, const uint8_t *signature) {
    mbedtls_ecp_group curve;
    mbedtls_ecp_point point;
    mbedtls_mpi r, s;
    uint8_t written[1 + P256_KEY_BYTES] = { UNCOMPRESSED };
    memcpy(written + 1, key, P256_KEY_BYTES);
    arena_clear();
    mbedtls_ecp_group_init(&curve);
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    return mbedtls_ecp_group_load(&curve, MBEDTLS_ECP_DP_SECP256R1) == 0
           && mbedtls_ecp_point_read_binary(&curve, &point, written, sizeof written) == 0
           && mbedtls_ecp_check_pubkey(&curve, &point) == 0
           && mbedtls_mpi_read_binary(&r, signature, HALF) == 0
           && mbedtls_mpi_read_binary(&s, signature + HALF, HALF) == 0
           && mbedtls_ecdsa_verify(&curve, digest, P256_DIGEST_BYTES, &point, &r, &s) == 0;
}

// The choice at a reset. A slot's first sector holds the manifest (protocol/wire/manifest.py) and the marks; then comes
// the image. Nothing here knows the machine: the tests compile it for the host and ask it about every state of a flash.
#include "loader.h"

#include <stdbool.h>
#include <string.h>

#include "mbedtls/sha256.h"
#include "p256.h"

enum { HARDWARE = 8, VERSION = 24, SIZE = 32, HASH = 36, SIGNATURE = 68, SIGNED_BYTES = SIGNATURE };
enum { MARKS = 256, MARK_APART = 16, MARK_BYTES = 4 };
enum { COMPLETE = 0, TRIAL = 1, TRIALS = 3, CONFIRMED = 4, REJECTED = 5 };
enum { HARDWARE_BYTES = 16, HASH_BYTES = 32 };

static const uint8_t head[] = { 'G', 'L', 'T', 'A', 1, 0, 0, 0 };

static const uint8_t *manifest_of(const loader_t *loader, unsigned slot) {
    return loader->flash + slot * SLOT_BYTES;
}

static uint32_t number(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

const uint8_t *loader_image(const loader_t *loader, unsigned slot) {
    return manifest_of(loader, slot) + SLOT_IMAGE_AT;
}

uint32_t loader_image_size(const loader_t *loader, unsigned slot) {
    return number(manifest_of(loader, slot) + SIZE);
}

// A torn mark is read as what asks for more care: to allow something it must be wholly set, to forbid it just begun.
static bool is_all(const uint8_t *manifest, unsigned mark, uint8_t value) {
    const uint8_t *bytes = manifest + MARKS + MARK_APART * mark;
    return bytes[0] == value && bytes[1] == value && bytes[2] == value && bytes[3] == value;
}

static bool is_set(const uint8_t *manifest, unsigned mark) {
    return is_all(manifest, mark, 0x00);
}

static bool is_begun(const uint8_t *manifest, unsigned mark) {
    return !is_all(manifest, mark, 0xFF);
}

// The first TRIAL mark that is not begun, or TRIAL + TRIALS.
static unsigned next_trial(const uint8_t *manifest) {
    unsigned mark = TRIAL;
    while (mark < TRIAL + TRIALS && is_begun(manifest, mark)) {
        mark++;
    }
    return mark;
}

// What costs nothing to find out. The version, or 0 for what may not run.
static uint32_t version_promised(const loader_t *loader, unsigned slot) {
    const uint8_t *manifest = manifest_of(loader, slot);
    if (memcmp(manifest, head, sizeof head) != 0 || memcmp(manifest + HARDWARE, loader->hardware, HARDWARE_BYTES) != 0) {
        return 0;
    }
    uint32_t size = number(manifest + SIZE);
    if (size == 0 || size > SLOT_IMAGE_MAX || !is_set(manifest, COMPLETE) || is_begun(manifest, REJECTED)) {
        return 0;
    }
    if (!is_set(manifest, CONFIRMED) && next_trial(manifest) == TRIAL + TRIALS) {
        return 0;
    }
    return number(manifest + VERSION);
}

static bool is_right(const loader_t *loader, unsigned slot) {
    const uint8_t *manifest = manifest_of(loader, slot);
    uint8_t digest[HASH_BYTES];
    mbedtls_sha256(loader_image(loader, slot), loader_image_size(loader, slot), digest, 0);
    if (memcmp(digest, manifest + HASH, sizeof digest) != 0) {
        return false;
    }
    if (is_set(manifest, CONFIRMED)) {
        return true;
    }
    mbedtls_sha256(manifest, SIGNED_BYTES, digest, 0);
    return p256_verify(loader->release_key, digest, manifest + SIGNATURE);
}

// A trial is counted before it begins; where the flash does not take the mark, the trial would have no end.
static bool may_start(const loader_t *loader, unsigned slot) {
    static const uint8_t set[MARK_BYTES];
    const uint8_t *manifest = manifest_of(loader, slot);
    if (is_set(manifest, CONFIRMED)) {
        return true;
    }
    unsigned mark = next_trial(manifest);
    loader->program(slot * SLOT_BYTES + MARKS + MARK_APART * mark, set, sizeof set);
    return is_begun(manifest, mark);
}

unsigned loader_choose(const loader_t *loader) {
    uint32_t versions[] = { version_promised(loader, 0), version_promised(loader, 1) };
    unsigned first = versions[1] > versions[0];
    for (unsigned turn = 0; turn < 2; turn++) {
        unsigned slot = first ^ turn;
        if (versions[slot] > loader->factory_version && is_right(loader, slot) && may_start(loader, slot)) {
            return slot;
        }
    }
    return LOADER_FACTORY;
}

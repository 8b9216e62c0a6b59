// The memory of one verification: blocks end to end, each behind a word with its length in words and whether it is taken.
// First fit; free neighbours are joined when room is looked for.
#include <string.h>

#include "p256.h"

enum { WORD = sizeof(size_t), WORDS = P256_ARENA_BYTES / WORD, TAKEN = 1 };

static size_t arena[WORDS];

void arena_clear(void) {
    memset(arena, 0, sizeof arena);
    arena[0] = WORDS << 1;
}

void *arena_calloc(size_t count, size_t size) {
    size_t words = (count * size + WORD - 1) / WORD + 1;
    for (size_t at = 0; at < WORDS; at += arena[at] >> 1) {
        if (arena[at] & TAKEN) {
            continue;
        }
        size_t room = arena[at] >> 1;
        while (at + room < WORDS && !(arena[at + room] & TAKEN)) {
            room += arena[at + room] >> 1;
        }
        arena[at] = room << 1;
        if (room < words) {
            continue;
        }
        if (room > words) {
            arena[at + words] = (room - words) << 1;
        }
        arena[at] = words << 1 | TAKEN;
        return memset(&arena[at + 1], 0, (words - 1) * WORD);
    }
    return NULL;
}

void arena_free(void *block) {
    if (block) {
        ((size_t *)block)[-1] &= ~(size_t)TAKEN;
    }
}

// Which of two slots the processor starts, or the factory's image: firmware/boot_slot.py says the same in Python.
#ifndef METER_LOADER_H
#define METER_LOADER_H

#include <stdint.h>

enum { LOADER_FACTORY = 2 };
enum { SLOT_BYTES = 512 * 1024, SLOT_IMAGE_AT = 4096, SLOT_IMAGE_MAX = SLOT_BYTES - SLOT_IMAGE_AT };

typedef struct {
    const uint8_t *flash;                                                              // the first slot; the second follows
    void (*program)(uint32_t offset_in_flash, const uint8_t *bytes, unsigned size);  // can only clear bits
    const uint8_t *hardware;                                                           // 16 bytes
    const uint8_t *release_key;                                                        // 64 bytes
    uint32_t factory_version;
} loader_t;

// 0, 1 or LOADER_FACTORY. Sets the TRIAL mark that the start of an unconfirmed image costs.
unsigned loader_choose(const loader_t *loader);

// The image in a slot that was chosen, and how long it is.
const uint8_t *loader_image(const loader_t *loader, unsigned slot);
uint32_t loader_image_size(const loader_t *loader, unsigned slot);

#endif

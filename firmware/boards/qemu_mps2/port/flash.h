// The flash of flash.c, and its status block as a test rig reads it from the file: little-endian words.
#ifndef METER_FLASH_H
#define METER_FLASH_H

#include <stddef.h>
#include <stdint.h>

enum { FLASH_ERASE_BYTES = 4096, FLASH_BLOCKS = 256 };  // of the file system
enum { FLASH_SLOTS_AT = 2 << 20 };                       // two slots of loader.h
enum { FLASH_IDLE, FLASH_PROGRAM, FLASH_ERASE };

typedef struct {
    uint32_t magic;
    uint32_t operation;   // FLASH_IDLE, or what is under way
    uint32_t address;
    uint32_t size;
    uint32_t operations;  // programs and erases since the file was made
    uint32_t erases;
    uint32_t violations;  // bytes in which a zero should have become a one
} flash_status_t;

void flash_timing(uint32_t program_us, uint32_t erase_us);
const uint8_t *flash_at(uint32_t address);
void flash_read(uint32_t address, uint8_t *into, size_t size);
void flash_program(uint32_t address, const uint8_t *bytes, size_t size);
void flash_erase(uint32_t address, size_t size);

#endif

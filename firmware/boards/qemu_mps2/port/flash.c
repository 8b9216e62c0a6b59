// A NOR flash in the board's PSRAM, which the emulator keeps in a file: what is written stays when the power goes.
//
// Programming can only turn ones into zeros, erasing turns 4 KB into ones; both go in small steps and take time, so a
// power cut leaves them torn. Python sees a block device. Before a step is made the status block says which.
#include <string.h>

#include "flash.h"
#include "py/mphal.h"

#define FLASH ((volatile uint8_t *)0x21000000)
#define STATUS ((volatile flash_status_t *)(0x21000000 + 0x00F00000))
#define STATUS_MAGIC 0x4E4F5246
enum { PROGRAM_STEP = 16, ERASE_STEP = 256 };

static uint32_t program_step_us, erase_step_us;

void flash_timing(uint32_t program_us, uint32_t erase_us) {
    program_step_us = program_us;
    erase_step_us = erase_us;
}

static void begin(uint32_t operation, uint32_t address, uint32_t size) {
    if (STATUS->magic != STATUS_MAGIC) {
        memset((void *)STATUS, 0, sizeof *STATUS);
        STATUS->magic = STATUS_MAGIC;
    }
    STATUS->address = address;
    STATUS->size = size;
    STATUS->operation = operation;
    if (operation == FLASH_ERASE) {
        STATUS->erases++;
    }
    STATUS->operations++;
}

static void rest(uint32_t us) {
    if (us) {
        clock_delay_us(us);
    }
}

const uint8_t *flash_at(uint32_t address) {
    return (const uint8_t *)FLASH + address;
}

void flash_read(uint32_t address, uint8_t *into, size_t size) {
    memcpy(into, (const void *)(FLASH + address), size);
}

void flash_program(uint32_t address, const uint8_t *bytes, size_t size) {
    begin(FLASH_PROGRAM, address, size);
    for (size_t at = 0; at < size; at++) {
        STATUS->violations += (bytes[at] & ~FLASH[address + at]) != 0;
        FLASH[address + at] &= bytes[at];
        if (at % PROGRAM_STEP == PROGRAM_STEP - 1) {
            rest(program_step_us);
        }
    }
    STATUS->operation = FLASH_IDLE;
}

void flash_erase(uint32_t address, size_t size) {
    begin(FLASH_ERASE, address, size);
    for (size_t at = 0; at < size; at++) {
        FLASH[address + at] = 0xFF;
        if (at % ERASE_STEP == ERASE_STEP - 1) {
            rest(erase_step_us);
        }
    }
    STATUS->operation = FLASH_IDLE;
}

// From reset to main: vectors, memory, the image that runs, the cause of the reset, and faults, which become resets.
//
// The image linked at 0 is the factory's and holds the loader: an update is a copy of the same code linked at UPDATE_AT,
// which the loader fills from a slot of the flash and starts like a reset. In RAM only `kept` is shared.
#include <string.h>

#include "flash.h"
#include "loader.h"
#include "p256.h"
#include "py/mpconfig.h"
#include "py/mphal.h"

extern uint32_t _sidata, _sdata, _edata, _sbss, _ebss, _top;

#define VTOR REGISTER(0xE000ED08)
#define AIRCR REGISTER(0xE000ED0C)
#define SYSTEM_RESET 0x05FA0004
#define NVIC_ENABLE(word) REGISTER(0xE000E100 + 4 * (word))

// RAM is zero after a power cut and unchanged by a reset: the mark tells the two apart. At the same place in every image
// of every version, so it may only grow at its end.
#define CAUSE_MARK 0x4D455452
static struct {
    uint32_t mark;
    uint32_t cause;
    uint32_t fault_pc;
    loaded_t loaded;
} kept __attribute__((section(".noinit")));

uint32_t reset_cause;

// Whose updates this meter takes (x | y); zero is no point of the curve, so without a key it takes none. Put in after
// the build, by `guelta firmware keyed`, and used of the factory's image alone, whichever runs.
const uint8_t release_key[P256_KEY_BYTES] = { 0 };

static const uint8_t hardware[16] = "qemu-mps2";

#define UPDATE_AT 0x00100000
enum { FIRST_WATCHDOG_MS = 8000 };

int main(void);

const loaded_t *loaded(void) {
    return &kept.loaded;
}

void irq_enable_line(unsigned line) {
    NVIC_ENABLE(line / 32) = 1u << line % 32;
}

// Until something says otherwise: a reset from outside leaves no cause of its own.
void reset_from_outside(void) {
    kept.cause = RESET_SOFT;
}

void reset_because(uint32_t cause) {
    kept.mark = CAUSE_MARK;
    kept.cause = cause;
    AIRCR = SYSTEM_RESET;
    for (;;) {
    }
}

__attribute__((naked)) void Reset_Handler(void) {
    __asm volatile ("ldr r0, =_top\n mov sp, r0\n b start_in_c");
}

static void program_slot(uint32_t offset, const uint8_t *bytes, unsigned size) {
    flash_program(FLASH_SLOTS_AT + offset, bytes, size);
}

static void start_update(void) {
    const uint32_t *vectors = (const uint32_t *)UPDATE_AT;
    VTOR = UPDATE_AT;
    __asm volatile ("dsb\n isb\n msr msp, %0\n bx %1" : : "r" (vectors[0]), "r" (vectors[1]));
}

// In the factory's image only, before anything else of the machine is touched. An update that never comes to its own
// watchdog is reset by this one, and its next trial is counted.
static void load(void) {
    const loader_t loader = {
        flash_at(FLASH_SLOTS_AT), program_slot, hardware, release_key, METER_VERSION
    };
    clock_begin();
    unsigned slot = loader_choose(&loader);
    if (slot != LOADER_FACTORY) {
        memcpy((void *)UPDATE_AT, loader_image(&loader, slot), loader_image_size(&loader, slot));
    }
    kept.loaded = (loaded_t) { slot, release_key, (uint32_t)clock_busy_us() };
    if (slot != LOADER_FACTORY) {
        watchdog_start(FIRST_WATCHDOG_MS);
        start_update();
    }
}

__attribute__((noreturn, used)) void start_in_c(void) {
    for (uint32_t *from = &_sidata, *to = &_sdata; to < &_edata;) {
        *to++ = *from++;
    }
    for (uint32_t *to = &_sbss; to < &_ebss;) {
        *to++ = 0;
    }
    if (VTOR == 0) {
        load();
    }
    if (kept.mark == CAUSE_MARK) {
        reset_cause = kept.cause;
    } else {
        reset_cause = RESET_POWER_ON;
        kept.mark = CAUSE_MARK;
    }
    reset_from_outside();
    uart_init();
    clock_init();
    main();
    reset_because(RESET_FAULT);
}

__attribute__((used)) static void fault(uint32_t *frame) {
    kept.fault_pc = frame[6];
    reset_because(RESET_FAULT);
}

__attribute__((naked)) static void Fault_Handler(void) {
    __asm volatile ("mrs r0, msp\n b fault");
}

// The watchdog's first expiry; its second, which nothing can hold up, is the reset.
static void NMI_Handler(void) {
    kept.cause = RESET_WATCHDOG;
}

static void Unused_Handler(void) {
    reset_because(RESET_FAULT);
}

void UART_Handler(void);
void CLOCK_Handler(void);

typedef void (*vector_t)(void);

// The processor leaves the eighth to us: which release this is, so that `guelta firmware release` signs no other.
__attribute__((section(".vectors"), used)) static const vector_t vectors[16 + 32] = {
    (vector_t)&_top, Reset_Handler, NMI_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler,
    (vector_t)METER_VERSION, 0, 0, 0,
    Unused_Handler, Unused_Handler, 0, Unused_Handler, Unused_Handler,
    [16 + 0] = UART_Handler, [16 + 2] = UART_Handler, [16 + 4] = UART_Handler, [16 + 18] = UART_Handler,
    [16 + 8] = CLOCK_Handler, [16 + 9] = CLOCK_Handler,
};

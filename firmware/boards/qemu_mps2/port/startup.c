// From reset to main: vectors, memory, the cause of the reset, and faults, which become resets that say so.
#include "py/mpconfig.h"
#include "py/mphal.h"

extern uint32_t _sidata, _sdata, _edata, _sbss, _ebss, _top;

#define AIRCR REGISTER(0xE000ED0C)
#define SYSTEM_RESET 0x05FA0004
#define NVIC_ENABLE(word) REGISTER(0xE000E100 + 4 * (word))

// RAM is zero after a power cut and unchanged by a reset: the mark tells the two apart.
#define CAUSE_MARK 0x4D455452
static struct {
    uint32_t mark;
    uint32_t cause;
    uint32_t fault_pc;
} kept __attribute__((section(".noinit")));

uint32_t reset_cause;

int main(void);

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

__attribute__((noreturn, used)) void start_in_c(void) {
    for (uint32_t *from = &_sidata, *to = &_sdata; to < &_edata;) {
        *to++ = *from++;
    }
    for (uint32_t *to = &_sbss; to < &_ebss;) {
        *to++ = 0;
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

__attribute__((section(".vectors"), used)) static const vector_t vectors[16 + 32] = {
    (vector_t)&_top, Reset_Handler, NMI_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, 0, 0, 0, 0,
    Unused_Handler, Unused_Handler, 0, Unused_Handler, Unused_Handler,
    [16 + 0] = UART_Handler, [16 + 2] = UART_Handler, [16 + 4] = UART_Handler, [16 + 18] = UART_Handler,
    [16 + 8] = CLOCK_Handler, [16 + 9] = CLOCK_Handler,
};

// Five CMSDK UARTs (Arm DDI 0479): received bytes are taken by interrupt into a ring each; sending waits.
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"

#define RING 1024

typedef struct {
    volatile uint16_t head, tail;  // bytes are put at the head
    uint8_t bytes[RING];
} ring_t;

static ring_t rings[UART_TRACE];
static const uint32_t bases[UARTS] = { 0x40004000, 0x40005000, 0x40006000, 0x40007000, 0x40009000 };
static const uint8_t rx_lines[UART_TRACE] = { 0, 2, 4, 18 };

volatile uint32_t uart_received[UARTS];

#define DATA(base) REGISTER((base) + 0x00)
#define STATE(base) REGISTER((base) + 0x04)
#define CONTROL(base) REGISTER((base) + 0x08)
#define INTERRUPT(base) REGISTER((base) + 0x0C)
#define BAUD_DIVIDER(base) REGISTER((base) + 0x10)
enum { TX_FULL = 1, RX_FULL = 2 };
enum { TX_ENABLE = 1, RX_ENABLE = 2, RX_INTERRUPT = 8 };

void uart_init(void) {
    for (unsigned at = 0; at < UARTS; at++) {
        uint32_t base = bases[at];
        BAUD_DIVIDER(base) = 16;
        CONTROL(base) = at == UART_TRACE ? TX_ENABLE : TX_ENABLE | RX_ENABLE | RX_INTERRUPT;
        (void)DATA(base);  // makes an emulated UART ask its socket for input
        if (at != UART_TRACE) {
            irq_enable_line(rx_lines[at]);
        }
    }
}

// Move what has arrived into the ring. A full ring leaves the byte in the UART, which holds up the sender.
static void drain(unsigned at) {
    ring_t *self = &rings[at];
    uint32_t base = bases[at];
    while (STATE(base) & RX_FULL) {
        uint16_t next = (self->head + 1) % RING;
        if (next == self->tail) {
            CONTROL(base) = TX_ENABLE | RX_ENABLE;
            return;
        }
        INTERRUPT(base) = 2;
        uint8_t byte = (uint8_t)DATA(base);
        uart_received[at]++;
        #if MICROPY_KBD_EXCEPTION
        if (at == UART_CONSOLE && byte == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
            continue;
        }
        #endif
        self->bytes[self->head] = byte;
        self->head = next;
    }
}

void UART_Handler(void) {
    for (unsigned at = 0; at < UART_TRACE; at++) {
        drain(at);
    }
}

size_t uart_any(unsigned at) {
    return (rings[at].head + RING - rings[at].tail) % RING;
}

size_t uart_read(unsigned at, uint8_t *into, size_t size) {
    ring_t *self = &rings[at];
    size_t taken = 0;
    while (taken < size && self->tail != self->head) {
        into[taken++] = self->bytes[self->tail];
        self->tail = (self->tail + 1) % RING;
    }
    uint32_t state = irq_disable();
    CONTROL(bases[at]) = TX_ENABLE | RX_ENABLE | RX_INTERRUPT;
    drain(at);
    irq_restore(state);
    return taken;
}

void uart_write(unsigned at, const uint8_t *bytes, size_t size) {
    uint32_t base = bases[at];
    for (size_t sent = 0; sent < size; sent++) {
        while (STATE(base) & TX_FULL) {
        }
        DATA(base) = bytes[sent];
    }
}

// MicroPython's terminal: the console in the development variant; in production output alone, on the trace line.
#define TERMINAL (METER_DEVELOPMENT ? UART_CONSOLE : UART_TRACE)

mp_uint_t mp_hal_stdout_tx_strn(const char *text, size_t size) {
    uart_write(TERMINAL, (const uint8_t *)text, size);
    return size;
}

int mp_hal_stdin_rx_chr(void) {
    uint8_t byte;
    while (uart_read(UART_CONSOLE, &byte, 1) == 0) {
        mp_handle_pending(true);
        clock_idle();
    }
    return byte;
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    return (flags & MP_STREAM_POLL_RD && uart_any(UART_CONSOLE) ? MP_STREAM_POLL_RD : 0) | (flags & MP_STREAM_POLL_WR);
}

#if !MICROPY_KBD_EXCEPTION
void mp_hal_set_interrupt_char(int character) {
    // Nothing that is typed interrupts a meter.
}
#endif

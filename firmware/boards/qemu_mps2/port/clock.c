// Time: microseconds since reset, a tickless wait, and lock-step, in which a test rig grants the time.
//
// TIMER0 counts down freely at 25 MHz; TIMER1 is loaded once for each wait. While nothing is due the processor waits
// for an interrupt. Lock-step is chosen by a word that the rig puts into memory before the start: then this clock stands
// still, and a wait asks the rig on UART3:
//     meter -> rig   'W' | seq u8 | deadline_us u48            idle; wake me then (all ones: never)
//     rig -> meter   'G' | seq u8 | now_us u48 | rx u16        it is now now_us, and so many bytes went to UART0..2
// The wait ends when that many have arrived in all, so the order in which the UARTs deliver does not matter.
#include "py/mphal.h"

#define TIMER(at, offset) REGISTER(0x40000000 + 0x1000 * (at) + (offset))
#define CONTROL(at) TIMER(at, 0x0)
#define VALUE(at) TIMER(at, 0x4)
#define RELOAD(at) TIMER(at, 0x8)
#define INTERRUPT(at) TIMER(at, 0xC)
enum { ENABLE = 1, INTERRUPT_ENABLE = 8 };
enum { TICKS_PER_US = 25, LINE_TIMER0 = 8, LINE_TIMER1 = 9 };

#define STRAP REGISTER(0x20040000)
#define STRAP_LOCKSTEP 0x53494D31
#define GRANT_BYTES 10
#define NEVER_US ((1ull << 48) - 1)

static volatile uint32_t wraps;
static uint64_t idle_ticks;
static uint32_t input_seen;
static uint64_t granted_us;
static uint8_t sequence;
static bool lockstep;

// Time runs; nobody is interrupted yet.
void clock_begin(void) {
    lockstep = STRAP == STRAP_LOCKSTEP;
    RELOAD(0) = 0xFFFFFFFF;
    VALUE(0) = 0xFFFFFFFF;
    CONTROL(0) = ENABLE | INTERRUPT_ENABLE;
}

void clock_init(void) {
    clock_begin();
    irq_enable_line(LINE_TIMER0);
    irq_enable_line(LINE_TIMER1);
}

void CLOCK_Handler(void) {
    if (INTERRUPT(0)) {
        INTERRUPT(0) = 1;
        wraps++;
    }
    if (INTERRUPT(1)) {
        INTERRUPT(1) = 1;
        CONTROL(1) = 0;
    }
}

static uint64_t ticks(void) {
    uint32_t state = irq_disable();
    uint32_t low = ~VALUE(0);
    if (INTERRUPT(0)) {
        INTERRUPT(0) = 1;
        wraps++;
        low = ~VALUE(0);
    }
    uint64_t now = (uint64_t)wraps << 32 | low;
    irq_restore(state);
    return now;
}

bool clock_in_lockstep(void) {
    return lockstep;
}

uint64_t clock_now_us(void) {
    return lockstep ? granted_us : ticks() / TICKS_PER_US;
}

// Time not spent waiting for interrupts, also in lock-step: what the processor costs.
uint64_t clock_busy_us(void) {
    return (ticks() - idle_ticks) / TICKS_PER_US;
}

static void sleep_with_irqs_off(void) {
    uint64_t before = ticks();
    __asm volatile ("dsb\n wfi" : : : "memory");
    idle_ticks += ticks() - before;
}

// Until the next interrupt.
void clock_idle(void) {
    uint32_t state = irq_disable();
    sleep_with_irqs_off();
    irq_restore(state);
}

static uint32_t inputs(void) {
    return uart_received[UART_CONSOLE] + uart_received[UART_RADIO] + uart_received[UART_FIELD];
}

// At `deadline` in ticks, or when a byte has arrived since the last wait if `by_input`.
static void wait_ticks(uint64_t deadline, bool by_input) {
    for (;;) {
        uint64_t now = ticks();
        if (now >= deadline) {
            return;
        }
        uint64_t left = deadline - now;
        uint32_t state = irq_disable();
        if (by_input && inputs() != input_seen) {
            irq_restore(state);
            return;
        }
        CONTROL(1) = 0;
        RELOAD(1) = 0;  // once: a timer that reloads would run on after the wait
        VALUE(1) = left > 0xFFFFFFFF ? 0xFFFFFFFF : (uint32_t)left;
        CONTROL(1) = ENABLE | INTERRUPT_ENABLE;
        sleep_with_irqs_off();
        irq_restore(state);
    }
}

static void put_u48(uint8_t *at, uint64_t value) {
    for (int byte = 5; byte >= 0; byte--) {
        at[byte] = (uint8_t)value;
        value >>= 8;
    }
}

static uint64_t get_u(const uint8_t *at, int size) {
    uint64_t value = 0;
    while (size--) {
        value = value << 8 | *at++;
    }
    return value;
}

// Wait for interrupts until `ready`, which is asked with interrupts off.
#define IDLE_UNTIL(ready) \
    for (uint32_t state = irq_disable();; state = irq_disable()) { \
        bool done = (ready); \
        if (!done) { \
            sleep_with_irqs_off(); \
        } \
        irq_restore(state); \
        if (done) { \
            break; \
        } \
    }

static void wait_for_grant(uint64_t deadline_us) {
    uint8_t ask[8] = { 'W', ++sequence };
    put_u48(ask + 2, deadline_us < NEVER_US ? deadline_us : NEVER_US);
    uart_write(UART_CLOCK, ask, sizeof ask);
    uint8_t grant[GRANT_BYTES];
    do {
        IDLE_UNTIL(uart_any(UART_CLOCK) >= GRANT_BYTES);
        uart_read(UART_CLOCK, grant, GRANT_BYTES);
    } while (grant[0] != 'G' || grant[1] != sequence);
    IDLE_UNTIL((uint16_t)inputs() == get_u(grant + 8, 2));
    uint64_t now_us = get_u(grant + 2, 6);
    if (now_us > granted_us) {
        granted_us = now_us;
    }
}

// Until `deadline_us`, or until a byte comes in by the console, the radio or the field I/O.
void clock_wait_until(uint64_t deadline_us) {
    if (lockstep) {
        wait_for_grant(deadline_us);
    } else {
        wait_ticks(deadline_us > UINT64_MAX / TICKS_PER_US ? UINT64_MAX : deadline_us * TICKS_PER_US, true);
    }
    input_seen = inputs();
}

// A delay is a matter of the machine, a few microseconds for a bus or a flash: it passes in lock-step too.
void clock_delay_us(uint64_t us) {
    wait_ticks(ticks() + us * TICKS_PER_US, false);
}

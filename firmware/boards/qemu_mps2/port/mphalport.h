// Hardware abstraction of the MPS2-AN385 (Arm AN385): what the files of this port share, and what MicroPython asks of it.
#ifndef METER_MPHALPORT_H
#define METER_MPHALPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/runtime/interrupt_char.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define MP_HAL_PIN_FMT "%u"

// Interrupts ------------------------------------------------------------------------------------------------------------
static inline uint32_t irq_disable(void) {
    uint32_t state;
    __asm volatile ("mrs %0, primask\n cpsid i" : "=r" (state) : : "memory");
    return state;
}

static inline void irq_restore(uint32_t state) {
    __asm volatile ("msr primask, %0" : : "r" (state) : "memory");
}

void irq_enable_line(unsigned line);

#define MICROPY_BEGIN_ATOMIC_SECTION() irq_disable()
#define MICROPY_END_ATOMIC_SECTION(state) irq_restore(state)

// startup.c -------------------------------------------------------------------------------------------------------------
enum { RESET_POWER_ON = 1, RESET_SOFT = 2, RESET_WATCHDOG = 3, RESET_FAULT = 4 };
extern uint32_t reset_cause;  // of this boot
__attribute__((noreturn)) void reset_because(uint32_t cause);
void reset_from_outside(void);

// What the loader did at this reset.
typedef struct {
    uint32_t slot;               // that runs: 0, 1, or LOADER_FACTORY
    const uint8_t *release_key;  // of the factory's image, whichever runs
    uint32_t us;                 // that it took
} loaded_t;
const loaded_t *loaded(void);

// uart.c ----------------------------------------------------------------------------------------------------------------
enum { UART_CONSOLE, UART_RADIO, UART_FIELD, UART_CLOCK, UART_TRACE, UARTS };
void uart_init(void);
size_t uart_any(unsigned uart);
size_t uart_read(unsigned uart, uint8_t *into, size_t size);
void uart_write(unsigned uart, const uint8_t *bytes, size_t size);
extern volatile uint32_t uart_received[UARTS];  // bytes since reset

// clock.c ---------------------------------------------------------------------------------------------------------------
void clock_begin(void);
void clock_init(void);
bool clock_in_lockstep(void);
uint64_t clock_now_us(void);
uint64_t clock_busy_us(void);
void clock_idle(void);
void clock_wait_until(uint64_t deadline_us);
void clock_delay_us(uint64_t us);

// machine_wdt.inc.c -----------------------------------------------------------------------------------------------------
void watchdog_start(uint32_t timeout_ms);
void watchdog_stop(void);

// What MicroPython calls ------------------------------------------------------------------------------------------------
static inline mp_uint_t mp_hal_ticks_us(void) { return (mp_uint_t)clock_now_us(); }
static inline mp_uint_t mp_hal_ticks_ms(void) { return (mp_uint_t)(clock_now_us() / 1000); }
static inline mp_uint_t mp_hal_ticks_cpu(void) { return (mp_uint_t)clock_busy_us(); }
static inline uint64_t mp_hal_time_ns(void) { return clock_now_us() * 1000; }
static inline void mp_hal_delay_us(mp_uint_t us) { clock_delay_us(us); }
static inline void mp_hal_delay_ms(mp_uint_t ms) { clock_delay_us((uint64_t)ms * 1000); }
#define mp_hal_delay_us_fast(us) clock_delay_us(us)

// The two lines of the I2C bus (SBCon): open drain, set by one register, released by the other.
#define I2C_SET REGISTER(0x4002A000)
#define I2C_CLEAR REGISTER(0x4002A004)
unsigned machine_pin_line(void *pin);
#define mp_hal_pin_obj_t unsigned
#define mp_hal_get_pin_obj(object) machine_pin_line(object)
#define mp_hal_pin_name(line) (line)
#define mp_hal_pin_open_drain(line) ((void)0)
#define mp_hal_pin_od_low(line) (I2C_CLEAR = 1u << (line))
#define mp_hal_pin_od_high(line) (I2C_SET = 1u << (line))
#define mp_hal_pin_read(line) (I2C_SET >> (line) & 1)

#endif

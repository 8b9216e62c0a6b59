// machine.WDT over the CMSDK watchdog (Arm DDI 0479): at half the time it notes the cause, at the whole it resets.
// Once started it cannot be stopped, but by the REPL of a development image. A rig that grants the time may rest as long as it likes, so in lock-step it is off.
struct _machine_wdt_obj_t {
    mp_obj_base_t base;
};

#define WATCHDOG(offset) REGISTER(0x40008000 + (offset))
enum { WATCHDOG_LOAD = 0x0, WATCHDOG_CONTROL = 0x8, WATCHDOG_CLEAR = 0xC, WATCHDOG_LOCK = 0xC00 };
enum { WATCHDOG_UNLOCK = 0x1ACCE551, WATCHDOG_TICKS_PER_MS = 25000 };

static machine_wdt_obj_t machine_wdt = { { &machine_wdt_type } };

void watchdog_start(uint32_t timeout_ms) {
    if (clock_in_lockstep()) {
        return;
    }
    WATCHDOG(WATCHDOG_LOCK) = WATCHDOG_UNLOCK;
    WATCHDOG(WATCHDOG_LOAD) = timeout_ms / 2 * WATCHDOG_TICKS_PER_MS;
    WATCHDOG(WATCHDOG_CONTROL) = 3;
    WATCHDOG(WATCHDOG_LOCK) = 0;
}

static machine_wdt_obj_t *mp_machine_wdt_make_new_instance(mp_int_t id, mp_int_t timeout_ms) {
    if (id != 0 || timeout_ms < 2 || timeout_ms > 300000) {
        mp_raise_ValueError(MP_ERROR_TEXT("watchdog 0, timeout 2 to 300000 ms"));
    }
    watchdog_start(timeout_ms);
    return &machine_wdt;
}

static void mp_machine_wdt_feed(machine_wdt_obj_t *self) {
    reset_from_outside();  // its first expiry, if it came to that, is forgiven
    WATCHDOG(WATCHDOG_LOCK) = WATCHDOG_UNLOCK;
    WATCHDOG(WATCHDOG_CLEAR) = 1;
    WATCHDOG(WATCHDOG_LOCK) = 0;
}

#if METER_DEVELOPMENT
void watchdog_stop(void) {
    WATCHDOG(WATCHDOG_LOCK) = WATCHDOG_UNLOCK;
    WATCHDOG(WATCHDOG_CONTROL) = 0;
    WATCHDOG(WATCHDOG_LOCK) = 0;
}
#endif

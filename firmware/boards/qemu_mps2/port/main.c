// The image: a heap, the frozen _boot.py, and what follows it. In production nothing does: _boot.py runs the meter, and
// if it ever ends, that is a fault and a reset. In development a REPL follows, and Ctrl-D begins again.
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/objlist.h"
#include "py/runtime.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"

extern uint32_t _sstack, _top;

static uint32_t heap[MICROPY_HEAP_SIZE / sizeof(uint32_t)];

// How much of it is used. `guelta firmware size` lowers this in a copy of the image, until the meter cannot live in it.
const volatile uint32_t heap_bytes = sizeof heap;

#if METER_DEVELOPMENT
static void before_boot(void) {
}

// A tool that asks for the raw REPL wants the board, not the meter: it finds the flash mounted and nothing running.
static const char *first_file(void) {
    return pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? "mount_flash.py" : "_boot.py";
}

static void after_boot(void) {
    watchdog_stop();
    while ((pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl()) == 0) {
    }
    mp_printf(&mp_plat_print, "MPY: soft reboot\n");
}
#else
// What is not frozen is never imported: a file on the flash cannot take the place of the meter's code.
static void before_boot(void) {
    mp_sys_path = mp_obj_new_list(0, NULL);
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__dot_frozen));
}

static const char *first_file(void) {
    return "_boot.py";
}

static void after_boot(void) {
    reset_because(RESET_FAULT);
}
#endif

int main(void) {
    for (;;) {
        mp_cstack_init_with_top(&_top, (size_t)((uint8_t *)&_top - (uint8_t *)&_sstack));
        gc_init(heap, (uint8_t *)heap + heap_bytes);
        mp_init();
        before_boot();
        pyexec_frozen_module(first_file(), METER_DEVELOPMENT);
        after_boot();
        gc_sweep_all();
        mp_deinit();
    }
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

void nlr_jump_fail(void *value) {
    reset_because(RESET_FAULT);
}

void __assert_func(const char *file, int line, const char *function, const char *expression) {
    reset_because(RESET_FAULT);
}

// The parts of `machine` that differ per port: reset and its cause, sleep, and the two pins of the I2C bus.
#include "py/mperrno.h"

// machine.Pin("SCL") and machine.Pin("SDA"): enough for machine.SoftI2C.
typedef struct {
    mp_obj_base_t base;
    uint8_t line;
} machine_pin_obj_t;

static mp_obj_t machine_pin_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args);

MP_DEFINE_CONST_OBJ_TYPE(machine_pin_type, MP_QSTR_Pin, MP_TYPE_FLAG_NONE, make_new, machine_pin_make_new);

static const machine_pin_obj_t machine_pins[] = { { { &machine_pin_type }, 0 }, { { &machine_pin_type }, 1 } };

static mp_obj_t machine_pin_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    qstr name = mp_obj_str_get_qstr(args[0]);
    if (name != MP_QSTR_SCL && name != MP_QSTR_SDA) {
        mp_raise_ValueError(MP_ERROR_TEXT("a pin is SCL or SDA"));
    }
    return MP_OBJ_FROM_PTR(&machine_pins[name == MP_QSTR_SDA]);
}

unsigned machine_pin_line(mp_obj_t pin) {
    if (!mp_obj_is_type(pin, &machine_pin_type)) {
        mp_raise_TypeError(MP_ERROR_TEXT("a Pin is needed"));
    }
    return ((machine_pin_obj_t *)MP_OBJ_TO_PTR(pin))->line;
}

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_Pin), MP_ROM_PTR(&machine_pin_type) }, \
    { MP_ROM_QSTR(MP_QSTR_PWRON_RESET), MP_ROM_INT(RESET_POWER_ON) }, \
    { MP_ROM_QSTR(MP_QSTR_SOFT_RESET), MP_ROM_INT(RESET_SOFT) }, \
    { MP_ROM_QSTR(MP_QSTR_WDT_RESET), MP_ROM_INT(RESET_WATCHDOG) }, \
    { MP_ROM_QSTR(MP_QSTR_FAULT_RESET), MP_ROM_INT(RESET_FAULT) },

static void mp_machine_idle(void) {
    clock_idle();
}

NORETURN static void mp_machine_reset(void) {
    reset_because(RESET_SOFT);
}

static mp_int_t mp_machine_reset_cause(void) {
    return reset_cause;
}

static mp_obj_t mp_machine_unique_id(void) {
    return mp_obj_new_bytes((const uint8_t *)"mps2-an385", 10);
}

static mp_obj_t mp_machine_get_freq(void) {
    return MP_OBJ_NEW_SMALL_INT(25000000);
}

static void mp_machine_set_freq(size_t n_args, const mp_obj_t *args) {
    mp_raise_OSError(MP_EPERM);
}

// Until an input or for so many milliseconds.
static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    clock_wait_until(n_args ? clock_now_us() + (uint64_t)mp_obj_get_int(args[0]) * 1000 : UINT64_MAX);
}

NORETURN static void mp_machine_deepsleep(size_t n_args, const mp_obj_t *args) {
    mp_machine_lightsleep(n_args, args);
    mp_machine_reset();
}

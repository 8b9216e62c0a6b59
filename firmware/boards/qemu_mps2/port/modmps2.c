// The module `mps2`: what this board has beside `machine`.
//     now_us(), wait_until(deadline_us), in_lockstep(), busy_us()      see clock.c
//     NorFlash(on_cut)    a block device; on_cut(operation) is called at a cut that `arm_cut` named, and must not return.
//                         Also the two slots of an update (board.slots): read(slot, offset, size), erase(slot, offset),
//                         program(slot, offset, data)
//     loaded()            (running slot, release key, microseconds that the loader took)
#include "flash.h"
#include "loader.h"
#include "p256.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/objint.h"
#include "py/runtime.h"

typedef struct {
    mp_obj_base_t base;
    mp_obj_t on_cut;
    uint32_t operations;  // since boot
    uint32_t cut_at;      // 0: never
    bool torn;
} nor_flash_t;

static mp_obj_t nor_flash_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    nor_flash_t *self = mp_obj_malloc(nor_flash_t, type);
    self->on_cut = args[0];
    self->operations = self->cut_at = 0;
    self->torn = false;
    return MP_OBJ_FROM_PTR(self);
}

static void nor_flash_attr(mp_obj_t self_in, qstr name, mp_obj_t *destination) {
    nor_flash_t *self = MP_OBJ_TO_PTR(self_in);
    if (destination[0] == MP_OBJ_NULL && name == MP_QSTR_operations) {
        destination[0] = mp_obj_new_int_from_uint(self->operations);
    } else {
        destination[1] = MP_OBJ_SENTINEL;  // look among the methods
    }
}

// How many bytes of this operation, out of `size`, reach the flash.
static size_t counted(nor_flash_t *self, size_t size) {
    self->operations++;
    if (self->cut_at == 0 || self->operations < self->cut_at) {
        return size;
    }
    return self->torn ? size / 2 : 0;
}

static void cut_if_due(nor_flash_t *self) {
    if (self->cut_at != 0 && self->operations >= self->cut_at) {
        mp_call_function_1(self->on_cut, mp_obj_new_int_from_uint(self->operations));
    }
}

static uint32_t address_of(size_t n_args, const mp_obj_t *args, size_t size) {
    uint64_t block = (uint32_t)mp_obj_get_int(args[1]);
    uint64_t offset = n_args > 3 ? (uint32_t)mp_obj_get_int(args[3]) : 0;
    uint64_t address = block * FLASH_ERASE_BYTES + offset;
    if (address + size > FLASH_ERASE_BYTES * FLASH_BLOCKS) {
        mp_raise_OSError(MP_EINVAL);
    }
    return (uint32_t)address;
}

static mp_obj_t nor_flash_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t into;
    mp_get_buffer_raise(args[2], &into, MP_BUFFER_WRITE);
    flash_read(address_of(n_args, args, into.len), into.buf, into.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(nor_flash_readblocks_obj, 3, 4, nor_flash_readblocks);

static mp_obj_t nor_flash_writeblocks(size_t n_args, const mp_obj_t *args) {
    nor_flash_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t bytes;
    mp_get_buffer_raise(args[2], &bytes, MP_BUFFER_READ);
    uint32_t address = address_of(n_args, args, bytes.len);
    flash_program(address, bytes.buf, counted(self, bytes.len));
    cut_if_due(self);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(nor_flash_writeblocks_obj, 3, 4, nor_flash_writeblocks);

static mp_obj_t nor_flash_ioctl(mp_obj_t self_in, mp_obj_t request, mp_obj_t argument) {
    nor_flash_t *self = MP_OBJ_TO_PTR(self_in);
    switch (mp_obj_get_int(request)) {
        case 4:
            return MP_OBJ_NEW_SMALL_INT(FLASH_BLOCKS);
        case 5:
            return MP_OBJ_NEW_SMALL_INT(FLASH_ERASE_BYTES);
        case 6: {
            uint32_t block = mp_obj_get_int(argument);
            if (block >= FLASH_BLOCKS) {
                mp_raise_OSError(MP_EINVAL);
            }
            flash_erase(block * FLASH_ERASE_BYTES, counted(self, FLASH_ERASE_BYTES));
            cut_if_due(self);
        }
    }
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_3(nor_flash_ioctl_obj, nor_flash_ioctl);

static mp_obj_t nor_flash_arm_cut(mp_obj_t self_in, mp_obj_t from_now, mp_obj_t mode) {
    nor_flash_t *self = MP_OBJ_TO_PTR(self_in);
    self->cut_at = self->operations + mp_obj_get_int(from_now);
    self->torn = mp_obj_get_int(mode) != 0;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(nor_flash_arm_cut_obj, nor_flash_arm_cut);

static mp_obj_t nor_flash_timing(mp_obj_t self_in, mp_obj_t program_us, mp_obj_t erase_us) {
    flash_timing(mp_obj_get_int(program_us), mp_obj_get_int(erase_us));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(nor_flash_timing_obj, nor_flash_timing);

static uint32_t slot_address(mp_obj_t slot_in, mp_obj_t offset_in, size_t size) {
    uint32_t slot = mp_obj_get_int(slot_in), offset = mp_obj_get_int(offset_in);
    if (slot >= LOADER_FACTORY || offset > SLOT_BYTES || size > SLOT_BYTES - offset) {
        mp_raise_OSError(MP_EINVAL);
    }
    return FLASH_SLOTS_AT + slot * SLOT_BYTES + offset;
}

static mp_obj_t slots_read(size_t n_args, const mp_obj_t *args) {
    size_t size = mp_obj_get_int(args[3]);
    return mp_obj_new_bytes(flash_at(slot_address(args[1], args[2], size)), size);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(slots_read_obj, 4, 4, slots_read);

static mp_obj_t slots_program(size_t n_args, const mp_obj_t *args) {
    nor_flash_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t bytes;
    mp_get_buffer_raise(args[3], &bytes, MP_BUFFER_READ);
    uint32_t address = slot_address(args[1], args[2], bytes.len);
    flash_program(address, bytes.buf, counted(self, bytes.len));
    cut_if_due(self);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(slots_program_obj, 4, 4, slots_program);

static mp_obj_t slots_erase(mp_obj_t self_in, mp_obj_t slot, mp_obj_t offset) {
    nor_flash_t *self = MP_OBJ_TO_PTR(self_in);
    uint32_t address = slot_address(slot, offset, FLASH_ERASE_BYTES);
    flash_erase(address, counted(self, FLASH_ERASE_BYTES));
    cut_if_due(self);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(slots_erase_obj, slots_erase);

static const mp_rom_map_elem_t nor_flash_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&nor_flash_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&nor_flash_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&nor_flash_ioctl_obj) },
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&slots_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_program), MP_ROM_PTR(&slots_program_obj) },
    { MP_ROM_QSTR(MP_QSTR_erase), MP_ROM_PTR(&slots_erase_obj) },
    { MP_ROM_QSTR(MP_QSTR_arm_cut), MP_ROM_PTR(&nor_flash_arm_cut_obj) },
    { MP_ROM_QSTR(MP_QSTR_timing), MP_ROM_PTR(&nor_flash_timing_obj) },
};
static MP_DEFINE_CONST_DICT(nor_flash_dict, nor_flash_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    nor_flash_type, MP_QSTR_NorFlash, MP_TYPE_FLAG_NONE, make_new, nor_flash_make_new, attr, nor_flash_attr,
    locals_dict, &nor_flash_dict
    );

static mp_obj_t mps2_now_us(void) {
    return mp_obj_new_int_from_ull(clock_now_us());
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_now_us_obj, mps2_now_us);

static mp_obj_t mps2_busy_us(void) {
    return mp_obj_new_int_from_ull(clock_busy_us());
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_busy_us_obj, mps2_busy_us);

static mp_obj_t mps2_in_lockstep(void) {
    return mp_obj_new_bool(clock_in_lockstep());
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_in_lockstep_obj, mps2_in_lockstep);

// A deadline in the past is now, one beyond 63 bits is never.
static mp_obj_t mps2_wait_until(mp_obj_t deadline_in) {
    uint64_t deadline_us = 0;
    if (mp_obj_is_small_int(deadline_in)) {
        mp_int_t value = MP_OBJ_SMALL_INT_VALUE(deadline_in);
        deadline_us = value > 0 ? value : 0;
    } else if (mp_obj_int_sign(deadline_in) > 0) {
        mp_obj_int_to_bytes_impl(deadline_in, false, sizeof deadline_us, (uint8_t *)&deadline_us);
    }
    clock_wait_until(deadline_us);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mps2_wait_until_obj, mps2_wait_until);

static mp_obj_t mps2_loaded(void) {
    mp_obj_t told[] = {
        mp_obj_new_int_from_uint(loaded()->slot),
        mp_obj_new_bytes(loaded()->release_key, P256_KEY_BYTES),
        mp_obj_new_int_from_uint(loaded()->us),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(told), told);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_loaded_obj, mps2_loaded);

static const mp_rom_map_elem_t mps2_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_mps2) },
    { MP_ROM_QSTR(MP_QSTR_NorFlash), MP_ROM_PTR(&nor_flash_type) },
    { MP_ROM_QSTR(MP_QSTR_now_us), MP_ROM_PTR(&mps2_now_us_obj) },
    { MP_ROM_QSTR(MP_QSTR_busy_us), MP_ROM_PTR(&mps2_busy_us_obj) },
    { MP_ROM_QSTR(MP_QSTR_in_lockstep), MP_ROM_PTR(&mps2_in_lockstep_obj) },
    { MP_ROM_QSTR(MP_QSTR_loaded), MP_ROM_PTR(&mps2_loaded_obj) },
    { MP_ROM_QSTR(MP_QSTR_wait_until), MP_ROM_PTR(&mps2_wait_until_obj) },
};
static MP_DEFINE_CONST_DICT(mps2_globals, mps2_table);

const mp_obj_module_t mps2_module = { .base = { &mp_type_module }, .globals = (mp_obj_dict_t *)&mps2_globals };

MP_REGISTER_MODULE(MP_QSTR_mps2, mps2_module);

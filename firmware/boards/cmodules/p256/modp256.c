// The module `p256`: verify(key, digest, signature) of 64, 32 and 64 bytes; other lengths are a ValueError, and too little
// stack is a RuntimeError before anything is overwritten.
#include "p256.h"
#include "py/cstack.h"
#include "py/runtime.h"

static const uint8_t *bytes_of(mp_obj_t object, size_t length) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(object, &buffer, MP_BUFFER_READ);
    if (buffer.len != length) {
        mp_raise_ValueError(MP_ERROR_TEXT("64, 32 and 64 bytes"));
    }
    return buffer.buf;
}

static mp_obj_t verify(mp_obj_t key, mp_obj_t digest, mp_obj_t signature) {
    if (mp_cstack_usage() + P256_STACK_BYTES > MP_STATE_THREAD(stack_limit)) {
        mp_raise_recursion_depth();
    }
    return mp_obj_new_bool(
        p256_verify(
            bytes_of(key, P256_KEY_BYTES), bytes_of(digest, P256_DIGEST_BYTES), bytes_of(signature, P256_SIGNATURE_BYTES)
            )
        );
}
static MP_DEFINE_CONST_FUN_OBJ_3(verify_obj, verify);

static const mp_rom_map_elem_t p256_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_p256) },
    { MP_ROM_QSTR(MP_QSTR_verify), MP_ROM_PTR(&verify_obj) },
};
static MP_DEFINE_CONST_DICT(p256_globals, p256_table);

const mp_obj_module_t p256_module = { .base = { &mp_type_module }, .globals = (mp_obj_dict_t *)&p256_globals };

MP_REGISTER_MODULE(MP_QSTR_p256, p256_module);

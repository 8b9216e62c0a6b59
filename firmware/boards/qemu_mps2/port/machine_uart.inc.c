// machine.UART(0..3): reads never block, and return None when nothing has arrived. Parameters of the line are ignored.
struct _machine_uart_obj_t {
    mp_obj_base_t base;
    uint8_t uart;
};

#define MICROPY_PY_MACHINE_UART_CLASS_CONSTANTS

static machine_uart_obj_t machine_uarts[UART_TRACE];

static void mp_machine_uart_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "UART(%u)", self->uart);
}

static void mp_machine_uart_init_helper(machine_uart_obj_t *self, size_t n_args, const mp_obj_t *args, mp_map_t *named) {
}

static mp_obj_t mp_machine_uart_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, true);
    mp_int_t uart = mp_obj_get_int(args[0]);
    if (uart < 0 || uart >= UART_TRACE) {
        mp_raise_ValueError(MP_ERROR_TEXT("a UART is 0 to 3"));
    }
    machine_uarts[uart] = (machine_uart_obj_t) { { type }, (uint8_t)uart };
    return MP_OBJ_FROM_PTR(&machine_uarts[uart]);
}

static void mp_machine_uart_deinit(machine_uart_obj_t *self) {
}

static mp_int_t mp_machine_uart_any(machine_uart_obj_t *self) {
    return uart_any(self->uart);
}

static bool mp_machine_uart_txdone(machine_uart_obj_t *self) {
    return true;
}

static mp_uint_t mp_machine_uart_read(mp_obj_t self_in, void *into, mp_uint_t size, int *errcode) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    size_t taken = uart_read(self->uart, into, size);
    if (taken == 0 && size != 0) {
        *errcode = MP_EAGAIN;
        return MP_STREAM_ERROR;
    }
    return taken;
}

static mp_uint_t mp_machine_uart_write(mp_obj_t self_in, const void *bytes, mp_uint_t size, int *errcode) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    uart_write(self->uart, bytes, size);
    return size;
}

static mp_uint_t mp_machine_uart_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int *errcode) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (request == MP_STREAM_POLL) {
        return (arg & MP_STREAM_POLL_RD && uart_any(self->uart) ? MP_STREAM_POLL_RD : 0) | (arg & MP_STREAM_POLL_WR);
    }
    if (request == MP_STREAM_FLUSH) {
        return 0;
    }
    *errcode = MP_EINVAL;
    return MP_STREAM_ERROR;
}

"""The board: pins and interrupts in, motor out, time from the calendar, radio by air.py. Not run on hardware.

The calendar of the chip runs freely and is never set: it is the monotone clock. What it lacks to Unix time stands in
the backup registers, and so do the pulses, counted by an interrupt: both outlive a reset.
An end-stop stops the motor in its interrupt, whatever the processor is busy with; the time of a move ends it otherwise.
"""

import gc
import time

import machine
from machine import RTC, WDT, Pin

from firmware.boards import base
from firmware.boards.nucleo_wl55 import backup, pins, supply
from firmware.boards.streams.records import FIELD, write_record
from protocol.compat import const

SECOND_US = const(1000000)
NEVER_US = const(0x7FFFFFFFFFFFFFFF)
MOVE_US_MAX = const(15000000)  # less than what the application waits for an end-stop
SLEEP_MS_MAX = const(20000)
WATCHDOG_MS = const(30000)
SHORTEST_SLEEP_MS = const(3)
WATCHFUL_MS = const(10)
CONSOLE_BYTES = const(256)

CAUSES = {machine.PWRON_RESET: 1, machine.HARD_RESET: 2, machine.SOFT_RESET: 2, machine.WDT_RESET: 3}


class NucleoBoard:
    """See firmware/boards/base.py for what each method promises."""

    max_frame = 51
    console_trusted = False
    slots = restart = None  # not on this board yet: a loader, and room beside the file system
    running_slot = base.FACTORY_RUNS
    hardware = "nucleo-wl55"
    release_key = bytes(base.RELEASE_KEY_BYTES)
    formatter = unmount = None  # what format_flash and erase_flash call

    def __init__(self, air, service, display, device, files, eeprom):
        """`service` and `display` are UARTs; `device` is the flash and `files` what is mounted on it."""
        self.air = air
        self.service = service
        self.display = display
        self.device = device
        self.files = files
        self.eeprom = eeprom
        self.calendar = RTC()
        self.presses = 0
        self.end_stop = None
        self.motor_until_us = NEVER_US
        self.awake = Pin(pins.MOTOR_AWAKE, Pin.OUT, value=0)
        self.in1 = Pin(pins.MOTOR_IN1, Pin.OUT, value=0)
        self.in2 = Pin(pins.MOTOR_IN2, Pin.OUT, value=0)
        self.tamper = Pin(pins.TAMPER, Pin.IN, Pin.PULL_UP)
        self.stops = (Pin(pins.END_OPEN, Pin.IN), Pin(pins.END_CLOSED, Pin.IN))
        self.watched = None  # the end-stop that the motor runs to
        backup.allow()
        _interrupt(Pin(pins.PULSE, Pin.IN), lambda _: backup.count(backup.PULSES))
        _interrupt(Pin(pins.REVERSE, Pin.IN), lambda _: backup.count(backup.REVERSE))
        _interrupt(Pin(pins.BUTTON, Pin.IN, Pin.PULL_UP), self._pressed)
        _interrupt(self.stops[0], self._stopped)
        _interrupt(self.stops[1], self._stopped)
        self.seen = self._inputs()
        self.watchdog = WDT(timeout=WATCHDOG_MS)

    # Time -----------------------------------------------------------------------------------------------------------
    def now_us(self):
        year, month, day, _, hours, minutes, seconds, us = self.calendar.datetime()
        return time.mktime((year, month, day, hours, minutes, seconds, 0, 0)) * SECOND_US + us

    def wait_until(self, deadline_us):
        while True:
            self.watchdog.feed()
            now_us = self.now_us()
            self._end_late_move(now_us)
            next_us = min(deadline_us, self.air.work(now_us), self.motor_until_us)
            inputs = self._inputs()
            if now_us >= deadline_us or inputs != self.seen:
                self.seen = inputs
                return
            self._sleep((next_us - now_us) // 1000)

    def _sleep(self, wait_ms):
        """The radio driver's timeouts need the processor's clock, and the motor its interrupts soon: no Stop then."""
        if wait_ms < SHORTEST_SLEEP_MS or self.air.busy or self.watched is not None:
            time.sleep_ms(max(1, min(wait_ms, WATCHFUL_MS)))
        else:
            machine.lightsleep(min(wait_ms, SLEEP_MS_MAX))

    def rtc(self):
        offset_s = backup.offset()
        if offset_s is None:
            return 0, False
        return self.now_us() // SECOND_US + offset_s, True

    def set_rtc(self, unix_s):
        backup.save_offset(unix_s - self.now_us() // SECOND_US)

    # Inputs ---------------------------------------------------------------------------------------------------------
    def _inputs(self):
        """What changes when something happened that the application wants to know of at once."""
        return (
            self.pulses(),
            self.reverse_pulses(),
            self.presses,
            self.end_stop,
            self.tampered(),
            len(self.air.frames),
            self.service.any(),
        )

    def pulses(self):
        return machine.mem32[backup.PULSES]

    def reverse_pulses(self):
        return machine.mem32[backup.REVERSE]

    def _pressed(self, _):
        self.presses += 1

    def take_button(self):
        if self.presses:
            self.presses -= 1
            return True
        return False

    def take_end_stop(self):
        stop = self.end_stop
        self.end_stop = None
        return stop

    def tampered(self):
        return self.tamper.value() == 1  # the contact closes to ground while the case is shut

    def battery_mv(self):
        return supply.battery_mv()

    def temperature_c10(self):
        return supply.temperature_c10()

    def reset_cause(self):
        return CAUSES.get(machine.reset_cause(), base.RESET_FAULT)

    def heap_free(self):
        gc.collect()
        return gc.mem_free()

    def flash_operations(self):
        return self.device.operations

    def flash_blank(self):
        from firmware.boards.blank import is_blank  # hardly ever asked: not in the heap of every meter

        return is_blank(self.device)

    def format_flash(self):
        return self.formatter()

    def erase_flash(self):
        from firmware.boards.blank import erase

        self.files = None
        self.unmount()
        return erase(self.device, self.watchdog.feed)

    # Motor ----------------------------------------------------------------------------------------------------------
    def motor(self, command):
        self._rest()
        if command == base.MOTOR_STOP:
            return
        self.end_stop = None
        end = base.END_STOP_OPEN if command == base.MOTOR_OPEN else base.END_STOP_CLOSED
        for stop in self.stops:
            stop.init(Pin.IN, Pin.PULL_UP)
        self.watched = end
        if self.stops[end].value() == 0:  # it stands there already
            self._arrived()
            return
        self.awake(1)
        (self.in1 if command == base.MOTOR_OPEN else self.in2)(1)
        self.motor_until_us = self.now_us() + MOVE_US_MAX

    def _stopped(self, pin):
        """The interrupt of both end-stops; the one that the motor comes from opens and is of no interest."""
        if self.watched is not None and pin is self.stops[self.watched]:
            self._arrived()

    def _arrived(self):
        end = self.watched
        self._rest()
        self.end_stop = end

    def _rest(self):
        self.in1(0)
        self.in2(0)
        self.awake(0)
        self.watched = None
        self.motor_until_us = NEVER_US
        for stop in self.stops:
            stop.init(Pin.IN)  # a closed stop would draw current through its pull-up for years

    def _end_late_move(self, now_us):
        if now_us >= self.motor_until_us:
            self._rest()
            self.end_stop = base.END_STOP_NONE

    # Outputs, radio and console -------------------------------------------------------------------------------------
    def face(self, picture):
        write_record(self.display, FIELD, b"F" + picture)

    def log(self, text):
        pass

    def transmit(self, frame):
        self.air.transmit(frame)

    def receive(self):
        return self.air.frames.pop(0) if self.air.frames else None

    def console_receive(self):
        return self.service.read(CONSOLE_BYTES) if self.service.any() else None

    def console_send(self, message):
        self.service.write(message)


def _interrupt(pin, handler):
    pin.irq(handler, Pin.IRQ_FALLING, hard=True)

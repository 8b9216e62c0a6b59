"""Which radio a meter speaks through: a LoRaWAN DevEUI as network servers know it. A meter has one, or none."""

from headend.meters.lookup import RETIRED, state_of_meter
from headend.refusals import Code, Refused
from headend.storage.writer import Tx

DEV_EUI_LENGTH = 8


def set_radio(tx: Tx, meter_id: bytes, dev_eui: bytes) -> None:
    """Give a meter its radio, in the place of the one it had. Raises Refused for another meter's radio."""
    state = state_of_meter(tx, meter_id)
    if state in (None, RETIRED):
        raise Refused(Code.METER_RETIRED if state else Code.METER_UNKNOWN, "meter_id", meter_id.hex())
    if len(dev_eui) != DEV_EUI_LENGTH:
        raise Refused(Code.DEV_EUI, "dev_eui", dev_eui.hex())
    owner = meter_of(tx, dev_eui)
    if owner not in (None, meter_id):
        raise Refused(Code.RADIO_TAKEN, "dev_eui", dev_eui.hex())
    tx.cursor.execute("DELETE FROM radio WHERE meter_id = ?", (meter_id,))
    row = (dev_eui, meter_id, tx.now_us)
    tx.cursor.execute("INSERT INTO radio (dev_eui, meter_id, added_us) VALUES (?, ?, ?)", row)


def meter_of(tx: Tx, dev_eui: bytes) -> bytes | None:
    """The meter behind a radio, or None for one that is not ours."""
    row = tx.cursor.execute("SELECT meter_id FROM radio WHERE dev_eui = ?", (dev_eui,)).fetchone()
    return None if row is None else bytes(row[0])

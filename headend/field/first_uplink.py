"""The first authentic frame of a wallet generation: proof that the meter holds its root key and that it is heard.

A frame that a technician carried by hand is proof of the key alone, so the first one that came by itself takes its
place. Ingest asks here only until a meter was heard by itself, so it costs nothing afterwards.
"""

from headend.field import identities
from headend.ingest.received import Bearer, Received, Signal
from headend.storage.writer import Tx

# The least signal-to-noise ratio at which LoRa is demodulated, in tenths of a decibel, by spreading factor.
REQUIRED_SNR_TENTHS_DB = {5: -25, 6: -50, 7: -75, 8: -100, 9: -125, 10: -150, 11: -175, 12: -200}


def margin_tenths_db(signal: Signal) -> int | None:
    """By how much a frame was above what its spreading factor needs; None for an unknown one."""
    required = REQUIRED_SNR_TENTHS_DB.get(signal.spreading_factor)
    return None if required is None else signal.snr_tenths_db - required


def notice(tx: Tx, received: Received, generation: int) -> None:
    """Keep the first frame, and the first that nobody carried; the key of the meter's job is not given again."""
    this = (received.meter_id, generation)
    row = tx.cursor.execute("SELECT bearer FROM first_uplink WHERE meter_id = ? AND generation = ?", this).fetchone()
    told = (int(received.bearer), *_told(received.signal))
    if row is None:
        tx.cursor.execute(
            "INSERT INTO first_uplink (meter_id, generation, heard_us, bearer, rssi_dbm, snr_tenths_db, "
            "margin_tenths_db) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*this, received.at_us, *told),
        )
        _settle_jobs(tx, received.meter_id)
    elif row[0] == Bearer.HAND != received.bearer:
        tx.cursor.execute(
            "UPDATE first_uplink SET heard_us = ?, bearer = ?, rssi_dbm = ?, snr_tenths_db = ?, margin_tenths_db = ? "
            "WHERE meter_id = ? AND generation = ?",
            (received.at_us, *told, *this),
        )


def _told(signal: Signal | None) -> tuple[int | None, int | None, int | None]:
    return (None, None, None) if signal is None else (signal.rssi_dbm, signal.snr_tenths_db, margin_tenths_db(signal))


def _settle_jobs(tx: Tx, meter_id: bytes) -> None:
    """A job that waited for this meter to be heard is done; what it was provisioned with is forgotten."""
    identities.forget_of_meter(tx, meter_id)
    tx.cursor.execute(
        "UPDATE field_job SET state = 'done' WHERE state = 'recorded' "
        "AND (meter_id = ?1 AND new_meter_id IS NULL OR new_meter_id = ?1)",
        (meter_id,),
    )

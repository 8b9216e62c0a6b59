"""Uplink events of a LoRaWAN network server: its JSON is not ours, and whatever stands in it is an uplink or refused;
what is kept of it fits the books (A10, I25)."""

import json

from headend.bearers.chirpstack import BodyRefused, problem, read_up
from headend.field.first_uplink import margin_tenths_db

SQL_INTEGER_MAX = 2**63 - 1


def seeds() -> list[bytes]:
    event = {
        "deviceInfo": {"devEui": "0102030405060708", "deviceName": "x"},
        "fPort": 10,
        "data": "AAECAwQFBgcICQoL",
        "rxInfo": [{"rssi": -97, "snr": -7.5}, {"rssi": -60}],
        "txInfo": {"frequency": 868100000, "modulation": {"lora": {"spreadingFactor": 10}}},
    }
    texts = [
        json.dumps(event | changed) for changed in ({}, {"fPort": 2}, {"data": "é="}, {"rxInfo": []}, {"txInfo": 1})
    ]
    return [text.encode() for text in texts] + [json.dumps(event, ensure_ascii=False).encode(), b"\x08\x01"]


def one(data: bytes) -> None:
    try:
        dev_eui, frame, signal = read_up(data)
    except BodyRefused as refused:
        assert 400 <= problem(refused).status < 500
        return
    assert len(bytes.fromhex(dev_eui)) == 8 and dev_eui == dev_eui.lower()
    assert frame is None or len(frame) <= len(data)
    if signal is not None:
        margin = margin_tenths_db(signal)
        kept = [*signal, *([] if margin is None else [margin])]
        assert all(type(value) is int and abs(value) <= SQL_INTEGER_MAX for value in kept), kept

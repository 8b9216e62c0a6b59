"""Bytes on the air: CBOR, keys, envelope, replay window, messages and the log codec (docs/SPEC.md)."""

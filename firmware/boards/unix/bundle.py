"""The payload of an update for the Unix meter: the .mpy files of a build in one piece, in the order of their names.

"GLTM" | for each file: length of its name 1 | name | size 3 | bytes
"""

from protocol.compat import const

HEAD = b"GLTM"
READ_BYTES = const(1024)


def pack(files):
    """The bundle of {name: bytes}."""
    data = HEAD
    for name in sorted(files):
        data += bytes([len(name)]) + name.encode() + len(files[name]).to_bytes(3, "big") + files[name]
    return data


def unpack(read, size, folder):
    """Write the files of the bundle that `read(offset, size)` gives into `folder`, which exists."""
    at = len(HEAD)
    while at < size:
        length = read(at, 1)[0]
        name = read(at + 1, length).decode()
        left = int.from_bytes(read(at + 1 + length, 3), "big")
        at += 4 + length
        with open(folder + "/" + name, "wb") as file:
            while left:
                part = read(at, min(READ_BYTES, left))
                file.write(part)
                at += len(part)
                left -= len(part)

"""Files on littlefs, with replacement by a temporary file and a rename.

`mount` never formats. Formatting is a separate call, made by provisioning alone: a meter that holds somebody's credit
and does not mount is a case for a person, not for a fresh file system.
"""

import os

import vfs

from protocol.compat import const

MOUNT_POINT = "/flash"
ERASE_BYTES = const(4096)
BLOCKS = const(256)
NO_FOLDER = const(2)  # ENOENT
PROGRAM_BYTES = const(64)  # what littlefs reads and programs at once
# mtime: a file would carry the wall clock of the machine, which a meter has not and a repeatable test must not have.
OPTIONS = {"readsize": PROGRAM_BYTES, "progsize": PROGRAM_BYTES, "lookahead": 32, "mtime": False}


def mount(device):
    """LittleFiles, or None when the flash holds no readable file system."""
    try:
        vfs.mount(vfs.VfsLfs2(device, **OPTIONS), MOUNT_POINT)
    except OSError:
        return None
    return LittleFiles()


def unmount():
    try:
        vfs.umount(MOUNT_POINT)
    except OSError:
        pass  # nothing was mounted


def format_flash(device):
    vfs.VfsLfs2.mkfs(device, **OPTIONS)


class LittleFiles:
    """See base.Files."""

    def read(self, path):
        try:
            with open(MOUNT_POINT + "/" + path, "rb") as file:
                size = file.seek(0, 2)
                file.seek(0)
                return file.read(size)
        except OSError:
            return None

    def parts(self, path, size):
        try:
            with open(MOUNT_POINT + "/" + path, "rb") as file:
                part = file.read(size)
                while part:
                    yield part
                    part = file.read(size)
        except OSError:
            return

    def replace(self, path, content):
        target = MOUNT_POINT + "/" + path
        try:
            self._write(target + ".new", content)
        except OSError as failed:
            if failed.errno != NO_FOLDER:
                raise  # after a write that failed littlefs is to be mounted again before it takes another one
            self._make_folders(path)
            self._write(target + ".new", content)
        os.rename(target + ".new", target)

    def append(self, path, content):
        with open(MOUNT_POINT + "/" + path, "ab") as file:
            file.write(content)

    def _write(self, target, content):
        with open(target, "wb") as file:
            file.write(content)

    def _make_folders(self, path):
        at = path.find("/")
        while at >= 0:
            try:
                os.mkdir(MOUNT_POINT + "/" + path[:at])
            except OSError:
                pass  # it exists already
            at = path.find("/", at + 1)

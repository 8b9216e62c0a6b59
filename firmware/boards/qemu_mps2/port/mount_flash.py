"""For the raw REPL of a development image: the meter's files at /flash, if they mount. It never formats."""

import mps2
import vfs

try:
    vfs.mount(vfs.VfsLfs2(mps2.NorFlash(print)), "/flash")
except OSError:
    print("the flash does not mount")

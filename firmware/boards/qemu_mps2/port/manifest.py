"""What is frozen into the image: the device's files, as firmware/image/stage.py lays them out."""

freeze("$(FROZEN)", opt=3)  # noqa: F821 - MicroPython's build defines it
freeze("$(PORT_DIR)", "mount_flash.py", opt=3)  # noqa: F821

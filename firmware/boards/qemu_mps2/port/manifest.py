"""What is frozen into the image: the device's files, as firmware/image/stage.py lays them out."""

freeze("$(FROZEN)", opt=3)  # noqa: F821 - MicroPython's build defines it

"""The toolchain of the real image: pinned sources in, interpreter and image out. Host-side."""

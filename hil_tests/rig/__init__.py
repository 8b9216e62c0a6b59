"""The rig: machines that run the image, the pipe and valve at their pins, and the radio and headend around them."""

"""The technician's tool: a laptop, a cable and no network turn a box into a trusted meter, and leave proof."""

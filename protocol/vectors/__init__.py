"""Accepted and refused examples of the wire, for a second implementation as well as for our own tests."""

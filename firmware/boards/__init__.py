"""What differs per board, behind the interface of base.py."""

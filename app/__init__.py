"""Emporium: one layered e-commerce service. Start reading at `app/main.py`."""

__version__ = "0.1.0"

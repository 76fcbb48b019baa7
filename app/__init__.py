"""Emporium: one layered e-commerce service. Start reading at `app/main.py`."""

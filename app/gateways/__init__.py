"""The outside world. Nothing here is ever called inside a transaction."""

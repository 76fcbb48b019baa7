"""What the service costs, measured against floors that run beside it: `make bench`."""

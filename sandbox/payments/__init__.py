"""The part of Stripe's HTTP API that the shop uses; Stripe documents the same paths."""

"""The development shop: everything `make run` needs around the service. `app.main` never imports it."""

"""Tools for those who work on the shop; `make help` lists what calls them."""

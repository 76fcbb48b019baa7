"""The response cache: finished answers for everybody, in memory and in Redis, dropped when the database says so."""

CACHE_TAGS = "shop.cache_tags"
"""The key of an ASGI scope under which an application names what its answer depends on. Without it nothing is kept."""

"""Tools that know nothing about shops."""

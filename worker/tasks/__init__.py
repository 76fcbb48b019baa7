"""Thin tasks: each takes ids and calls one method of one service."""

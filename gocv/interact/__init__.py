"""Hands at shelves: what they did there, and what was in them."""

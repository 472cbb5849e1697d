"""Believable traffic for a trail that has none yet."""

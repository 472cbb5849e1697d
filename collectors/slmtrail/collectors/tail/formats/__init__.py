"""What stands in the lines: one file a format, from an entry's bytes to events."""

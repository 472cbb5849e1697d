"""What alerts set off: a key, user or role shut out, or a call of the own site; bounded, and each kept as a record."""

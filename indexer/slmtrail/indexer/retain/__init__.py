"""How long records are kept: what is over its time, what is held back from going, and the certificates of what went."""

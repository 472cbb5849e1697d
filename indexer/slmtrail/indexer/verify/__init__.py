"""Verification: recomputes every leaf from what is stored and holds it against signed checkpoints.

Order of belief: the public key, then the checkpoint it signed, then the entries and tiles that give its
root, then the records that give those entries, then what collectors signed for. Each step names what does not
fit the one before it.
"""

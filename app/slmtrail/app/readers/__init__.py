"""Readers: who asks, what they may see, and the record that they looked."""

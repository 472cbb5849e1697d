"""Follows files, pipes and standard input, and gives what is written there to a collector."""

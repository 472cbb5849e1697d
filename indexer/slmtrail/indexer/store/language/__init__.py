"""The language of searches: text into a small tree, which each store compiles into its own terms.

The parser is our own: luqum, the library for this, knows Lucene's syntax alone (no `latency_ms>2000`, no small `and`).
"""

"""The secret rules: one row a kind of secret, with texts it must find and texts it must not, by what they open.

In the examples `¦` is taken out before use, so that no scanner takes these files themselves for a leak.
"""

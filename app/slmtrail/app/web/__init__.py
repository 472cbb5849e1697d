"""The web page: search, one record with its proof, alerts."""

"""The sidecar: a transparent reverse proxy before a model server, which records every exchange."""

"""The HTTP API: what the page shows, for programs. docs/api.md explains it, /api/v1/openapi.json describes it."""

"""Redaction: personal data and secrets leave here, before anything is stored."""

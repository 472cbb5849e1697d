"""OTLP over HTTP: spans and log records as events."""

"""Syslog over TCP and TLS: messages of RFC 5424 as events."""

"""What other programs send: OpenTelemetry over HTTP, syslog; and who may send at all."""

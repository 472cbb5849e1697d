"""Secrets in text: the rules as data, and the matcher that the guard and the redaction share."""

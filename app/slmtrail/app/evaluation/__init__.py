"""How good redaction and rules are: on labelled texts, on scenarios, on the past."""

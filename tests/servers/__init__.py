"""A real Kafka and a real Elasticsearch, each with a switch: start, stop, kill, pause, resume.

With a Docker engine that answers they run as containers; else, with a JDK and Maven, as processes of this
machine. Where neither is there, `UnavailableError` says what is missing.
"""

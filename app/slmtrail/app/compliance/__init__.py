"""What laws ask of logging, and what a trail answers."""

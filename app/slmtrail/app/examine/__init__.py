"""What `slmtrail doctor` looks at."""

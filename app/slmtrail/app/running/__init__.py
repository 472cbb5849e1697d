"""Processes: stages wired from settings, kept running, reloaded, watched."""

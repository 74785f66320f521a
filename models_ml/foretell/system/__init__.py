"""Processes, files and secrets of the machine that Foretell runs on."""

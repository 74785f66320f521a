"""How fast, how much memory, on how many events."""

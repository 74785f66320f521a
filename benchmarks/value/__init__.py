"""Expected values beside BG/NBD with gamma-gamma."""

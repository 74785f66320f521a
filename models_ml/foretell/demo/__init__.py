"""Simulated events of a shop, whose true probabilities are known."""

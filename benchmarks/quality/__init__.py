"""How good the probabilities are, out of time: at a past hour, against what then happened."""

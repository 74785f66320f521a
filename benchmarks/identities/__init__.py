"""Identities: merges by the million resolved, and compared with networkx."""

"""What looks wrong in events, outcomes and expected numbers: one sentence with numbers each."""

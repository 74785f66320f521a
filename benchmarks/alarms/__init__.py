"""How often honest data raise alarms, and how often outcomes lie in the card's intervals."""

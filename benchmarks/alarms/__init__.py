"""How often honest data raise alarms, and how often what came lay within what the card promised."""

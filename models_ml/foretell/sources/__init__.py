"""Files and tables of events: formats, what a run can read of them."""

"""What people read: summary, model card, charts and their sentences."""

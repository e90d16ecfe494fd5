"""likeness: synthetic media of people, with consent and in the open."""

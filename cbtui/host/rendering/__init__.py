"""One task at a time, from its text to its finished file: runs, plans, takes, and what carries them out."""

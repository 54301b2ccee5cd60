"""What people and programs are shown, read from the store: one source for pages, JSON API and commands. Nothing is written."""

"""The crash proof: a real hub is killed or frozen at chosen points while real twins call it, and nothing is lost or doubled."""

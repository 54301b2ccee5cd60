"""Peers, each in an environment of its own under .bench-peers; only `make bench` installs them, no test does."""

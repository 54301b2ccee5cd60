"""A strict simulator of XQueue Maileon's REST API 1.0, with its inconveniences, as a program of its own.

Run it as `python -m stellwerk_maileon.twin`. Section numbers in these modules are those of the reference page on
Maileon's API; where that page says UNKNOWN, the choice made here is told in the docstring of the module concerned.
"""

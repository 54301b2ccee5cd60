"""The HubSpot twin: a strict simulator of HubSpot as a real HTTP server, a program of its own.

It names no module of ours outside this folder. Facts are those of the reference page; section numbers in the
docstrings are its sections. Start reading at `twin.py` (what there is) and `app.py` (what happens to a request).
"""

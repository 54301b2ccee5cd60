"""Simulated weeks: the real hub, both connectors and both twins in one process, on a clock that a seed drives."""

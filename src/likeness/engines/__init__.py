"""Engines: ways to animate a source picture."""

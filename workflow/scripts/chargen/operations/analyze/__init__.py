"""Analyze: what a text model says about the pictures of a library."""

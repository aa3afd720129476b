"""Prompts: the text for the image model, composed from a scene by the templates of `config/prompts.yaml`."""

COMPOSER = 2
"""The version of the composition. It counts up when the same library and rules give another prompt than before.
Pictures whose prompt only this changed are counted apart, and are not out of date."""

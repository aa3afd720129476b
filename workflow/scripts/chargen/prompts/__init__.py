"""Prompts: the text for the image model, composed from a scene by the templates of `config/prompts.yaml`."""

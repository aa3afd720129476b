"""The words of a request: what a scene says, said to an image model as `config/prompts.yaml` tells."""

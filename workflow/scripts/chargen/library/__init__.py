"""The story library on disk: read into entities and scenes, and written back to without touching a byte."""

"""Picture files: formats, pixels, provenance, and whether a file is really here."""

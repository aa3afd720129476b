"""The APIs that make pictures, one package each."""

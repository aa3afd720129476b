"""chargen keeps a story world illustrated: make for pictures, through the Gemini Batch API."""

__version__ = "0.2.0"

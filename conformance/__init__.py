"""What the Gemini API does, written down once with its sources, and a runner that holds three judges to it:
an emulator, recordings of the real API, and the real API itself.

It needs a base URL and a key, and nothing of chargen but its emulator, and that for the first judge only:
``python -m conformance --help``.
"""

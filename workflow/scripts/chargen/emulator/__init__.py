"""A stand-in for the Gemini API on loopback: files, batches, downloads, placeholder pictures; no key, no
network.

``launch`` finds or starts a server and is light to import; what serves is imported by ``cli.run`` only.
"""

"""Used by all other packages: files and locks, HTTP, events, errors, formatting. No module here is about pictures."""

"""What everything else stands on: files and locks, HTTP, events, errors, formatting. Nothing here knows of pictures."""

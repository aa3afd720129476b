"""Pictures into folders, the archive, and what a receipt says of each task."""

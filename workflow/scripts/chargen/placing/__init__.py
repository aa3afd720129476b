"""Saving pictures in folders, the archive, and each task's part of the receipt."""

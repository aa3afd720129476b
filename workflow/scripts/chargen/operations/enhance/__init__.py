"""Enhance: pictures made from the pictures of a folder."""

"""Watching: what is found by itself, from the moment it is there to the link in its place."""

"""Where images are found; each source is a generator or maker of Found."""

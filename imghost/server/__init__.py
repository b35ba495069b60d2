"""The embedded server: the local host's files, the commands' routes, and who may call."""

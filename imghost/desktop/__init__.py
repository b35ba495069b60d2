"""The desktop: what each operating system does in its own way."""

"""Copy an image, paste a link."""

__version__ = "0.1.0"

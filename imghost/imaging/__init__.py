"""Images: checked, stripped, styled and converted; bytes in, an Image out."""

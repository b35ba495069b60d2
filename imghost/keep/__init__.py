"""What imghost never loses: the originals and the journal of what became of them."""

"""Posts: which pictures they use, where those are, and new links in their place."""

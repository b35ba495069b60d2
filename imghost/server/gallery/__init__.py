"""The gallery: pages on which people see, find, copy and style what they uploaded."""

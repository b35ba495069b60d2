"""The tray: what imghost does, seen and changed with a click."""

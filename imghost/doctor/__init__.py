"""Trying everything that imghost needs, and what to do where it fails: one trial, one function."""

"""Measurements, run by one command and never as tests."""

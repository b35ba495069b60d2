"""Servers, hosts and pictures for tests: small, and with behaviour."""

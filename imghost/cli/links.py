"""imghost links: whether the pictures of posts are still to be seen; keep them, bring them back."""

from __future__ import annotations

import argparse

from imghost.cli.console import Answer
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.errors import UsageError

SUMMARY = "Check the links in posts, keep copies of their pictures, bring dead ones back."
ACTIONS = ("check", "keep", "rescue")
"""Each is a command with a page of help of its own."""


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("action", choices=ACTIONS, help="what to do; each tells more with --help")
    parser.epilog = parser.say("Example: imghost links check --help")


def run(_options: argparse.Namespace, _context: Context) -> Answer:
    """Say what is missing. Raises UsageError."""
    raise UsageError("name what to do first, then posts: imghost links check ~/blog")

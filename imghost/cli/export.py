"""imghost export: all originals and what is known of them, in one file."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from imghost.cli.console import Answer, Item, progress_bar
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.errors import SomeFailed
from imghost.text import size_text

SUMMARY = "Write all originals and the history to one file."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("file", metavar="FILE", help="where to, such as pictures.tar")
    parser.add("--overwrite", action="store_true", help="replace a file that is there")
    parser.add_output()


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Write it, whatever the daemon does meanwhile."""
    from imghost.archive.writing import export

    console, path = context.console, Path(options.file).absolute()
    with context.app() as app:
        done = export(
            app.kept,
            path,
            lambda n, total: console.bar(progress_bar(n, total)),
            overwrite=options.overwrite,
        )
    for problem in done.left_out:
        console.tell(problem)
    line = console.say(
        "{originals} originals, {uploads} uploads, {copies} copies of others' pictures and {files} "
        "files of the built-in host are in {path}, {size}",
        originals=done.originals,
        uploads=done.uploads,
        copies=done.copies,
        files=done.files,
        path=str(path),
        size=size_text(done.size_bytes),
    )
    told = {"file": str(path)} | asdict(done) | {"left_out": list(map(console.say, done.left_out))}
    code = SomeFailed.exit_code if done.left_out else 0
    return Answer([Item(line, lambda: told)], one=True, exit_code=lambda: code)

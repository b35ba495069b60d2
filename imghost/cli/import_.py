"""imghost import: what an archive holds joins what is here."""

from __future__ import annotations

import argparse
from pathlib import Path

from imghost.cli.console import Answer, Item, progress_bar
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.errors import SomeFailed
from imghost.keep.learning import Lesson

SUMMARY = "Bring in what imghost export wrote, here or elsewhere."
_SHOWN = 20
_MB = 1_000_000


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("file", metavar="FILE", help="what imghost export wrote")
    parser.add_output()


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Bring it in, whatever the daemon does meanwhile; doing so twice changes nothing."""
    from imghost.archive.bringing import bring_in

    console, path = context.console, Path(options.file).absolute()
    with context.app() as app:
        target = app.checked_pipeline().order().target
        done = bring_in(
            app.kept,
            path,
            target,
            lambda n, total: console.bar(progress_bar(n // _MB, max(1, total // _MB)) + " MB"),
        )
    for problem in done.skipped[:_SHOWN]:
        console.tell(problem)
    if done.skips > _SHOWN:
        console.tell("and {n} more that could not be brought in", n=done.skips - _SHOWN)
    uploads = done.uploads
    if uploads[Lesson.ASKS]:
        console.note(
            "{n} were not sent yet, and are not sent by themselves: imghost retry ID sends one, "
            "imghost history rm ID discards it",
            n=uploads[Lesson.ASKS],
        )
    line = console.say(
        "{originals} originals, {uploads} uploads, {copies} copies of others' pictures and {files} "
        "files of the built-in host are new; {known} uploads were known",
        originals=done.originals,
        uploads=uploads[Lesson.NEW] + uploads[Lesson.ASKS],
        copies=done.copies,
        files=done.files,
        known=uploads[Lesson.KNOWN] + uploads[Lesson.BETTER],
    )
    told = {
        "file": str(path),
        "originals": done.originals,
        "copies": done.copies,
        "files": done.files,
        "uploads": uploads[Lesson.NEW] + uploads[Lesson.ASKS],
        "asking": uploads[Lesson.ASKS],
        "updated": uploads[Lesson.BETTER],
        "known": uploads[Lesson.KNOWN],
        "skips": done.skips,
        "skipped": list(map(console.say, done.skipped)),
    }
    code = SomeFailed.exit_code if done.skips else 0
    return Answer([Item(line, lambda: told)], one=True, exit_code=lambda: code)

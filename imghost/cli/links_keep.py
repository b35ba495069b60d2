"""imghost links keep: a copy of every picture of posts, for the day on which its link dies."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from imghost.cli.console import Answer, Item
from imghost.cli.context import Context
from imghost.cli.link_lines import LinkLines
from imghost.cli.parser import Parser
from imghost.cli.post_links import ASK_S, add_posts, exit_code, links_of, progress, read
from imghost.text import size_text

if TYPE_CHECKING:
    from imghost.app import App
    from imghost.posts.keeping import Kept

SUMMARY = "Keep a copy of every picture in posts, whoever hosts it."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    add_posts(parser)
    parser.add_output()
    parser.epilog = parser.say(
        "Example: imghost links keep ~/blog; a second run fetches only what is new."
    )


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Keep them; one line for each that cannot be kept."""
    posts = read(options.posts, context)
    links = links_of(posts)
    with context.app() as app:
        kept = _kept(app, links, context)
    console, lines = context.console, LinkLines(posts, context.console.say)
    new = [one for one in kept if not one.problem]
    failed = [one for one in kept if one.problem and not one.is_drawing]
    size = size_text(sum(one.size_bytes for one in new))
    console.note("pictures kept now: {n}, of {size}", n=len(new), size=size)
    for drawing in (one for one in kept if one.is_drawing):
        console.note(
            "{name}: {problem}", name=lines.place(drawing.link), problem=drawing.problem or ""
        )
    items = [Item(lines.kept(one), dict) for one in failed]
    if options.json:
        items = [Item("", partial(lines.kept_json, one)) for one in kept]
    return Answer(items, exit_code=partial(exit_code, posts, failed))


def _kept(app: App, links: Sequence[str], context: Context) -> Sequence[Kept]:
    from imghost.posts.keeping import Keeper, Shelf
    from imghost.posts.recorded import Recorded
    from imghost.transport.fetch import internet

    pipeline = app.checked_pipeline()
    shelf = Shelf(app.store, app.copies, app.journal)
    recorded = Recorded(app.journal, links)
    with closing(internet(ASK_S)) as http:
        keeper = Keeper(pipeline.hosts, recorded, shelf, http, pipeline.config.limits)
        missing = keeper.missing(links)
        kept = keeper.keep(missing, progress(context, len(missing)))
    context.console.bar("")
    return kept

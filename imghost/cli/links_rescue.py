"""imghost links rescue: dead pictures of posts uploaded again, by what is kept of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imghost.cli.console import Answer, Item
from imghost.cli.context import Context
from imghost.cli.moving import Mover, add_move_arguments
from imghost.cli.parser import Parser
from imghost.cli.post_links import add_posts, links_of, look_at
from imghost.errors import SomeFailed
from imghost.models import Alive
from imghost.server.asked import UploadOptions

if TYPE_CHECKING:
    from imghost.posts.checking import Checked

SUMMARY = "Upload again what is dead, by what is kept, and put the new links into the posts."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    add_posts(parser)
    parser.add("--all", action="store_true", help="every picture of which an original is kept")
    add_move_arguments(parser)
    parser.epilog = parser.say("Example: imghost links rescue ~/blog --host s3 --dry-run")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Bring them back; the posts that changed."""
    mover = Mover(context, options.posts)
    unsure: list[Checked] = []
    return Answer(
        _rescued(options, context, mover, unsure),
        one=True,
        exit_code=lambda: SomeFailed.exit_code if unsure else mover.exit_code(),
    )


def _rescued(
    options: argparse.Namespace, context: Context, mover: Mover, unsure: list[Checked]
) -> Iterator[Item]:
    """The posts that changed; `unsure` becomes the links that may be dead."""
    from imghost.posts.moving import planned
    from imghost.posts.originals import Originals
    from imghost.posts.post import find_posts
    from imghost.posts.recorded import Recorded
    from imghost.posts.rescue import Rescue
    from imghost.posts.using import read_posts

    asked = UploadOptions(options.host, options.bucket, "url", "", options.wait)
    posts = list(read_posts(find_posts(options.posts), asked))
    links = links_of(posts)
    with context.app() as app:
        recorded = Recorded(app.journal, links)
        checked = [] if options.all else look_at(app, recorded, links, context)
        dead = {one.link for one in checked if one.verdict == Alive.DEAD}
        originals = Originals(app.pipeline().hosts, recorded, app.copies, app.store, links)
        select = Rescue(app.checked_pipeline(), originals, dead, use_all=options.all)
        plan = planned(posts, select)
        for line in mover.lines(app, plan, dry_run=options.dry_run, yes=options.yes):
            if not options.json:
                yield Item(line, dict)
    unsure += [one for one in checked if one.seen.alive is Alive.UNKNOWN and one.is_asked]
    if unsure:
        context.console.tell(
            "links that gave no answer and stay: {n}; try again later, or bring back with --all "
            "every picture that is kept",
            n=len(unsure),
        )
    if options.json:
        yield Item("", mover.as_json)

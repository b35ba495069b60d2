"""imghost migrate: the pictures of posts to another host, and their new links into the posts."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from imghost.cli.console import Answer, Item
from imghost.cli.context import Context
from imghost.cli.moving import Mover, add_move_arguments
from imghost.cli.parser import Parser
from imghost.errors import SomeFailed, UsageError
from imghost.server.asked import UploadOptions
from imghost.text import printable

SUMMARY = "Move the pictures of posts to a host, and rewrite their links."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add(
        "posts", nargs="*", metavar="POSTS", help="posts, folders of posts, or patterns in quotes"
    )
    parser.add("--style", default="", help="the link's suffix, such as @800w.webp; @ for none")
    parser.add("--remote", action="store_true", help="also pictures that other hosts show")
    parser.add(
        "--undo",
        default="",
        metavar="RUN",
        help="put back the posts that a run has changed; each run ends by telling its RUN",
    )
    add_move_arguments(parser)
    parser.epilog = parser.say("Example: imghost migrate ~/blog --host bilibili --dry-run")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Move, show what would be moved, or undo."""
    if bool(options.posts) == bool(options.undo):
        raise UsageError("name posts or folders of them, or a run after --undo")
    if options.undo:
        return _undo(options, context)
    mover = Mover(context, options.posts)
    return Answer(_items(options, context, mover), one=True, exit_code=mover.exit_code)


def _items(options: argparse.Namespace, context: Context, mover: Mover) -> Iterator[Item]:
    from imghost.posts.migrate import Migration
    from imghost.posts.moving import planned
    from imghost.posts.originals import Originals
    from imghost.posts.post import find_posts
    from imghost.posts.recorded import Recorded
    from imghost.posts.same_files import SameFiles
    from imghost.posts.using import read_posts

    asked = UploadOptions(options.host, options.bucket, "url", options.style, options.wait)
    posts = list(read_posts(find_posts(options.posts), asked))
    links = {link for post in posts for link in post.links}
    with context.app() as app:
        pipeline = app.checked_pipeline()
        pipeline.order(options.host, options.bucket, style=options.style)  # or it is refused
        recorded = Recorded(app.journal, links)
        originals = Originals(pipeline.hosts, recorded, app.copies, app.store, links)
        files = SameFiles(file for post in posts for file in post.files)
        select = Migration(pipeline, recorded, originals, files, remote=options.remote)
        plan = planned(posts, select)
        for line in mover.lines(app, plan, dry_run=options.dry_run, yes=options.yes):
            if not options.json:
                yield Item(line, dict)
    if select.elsewhere:
        context.console.note(
            "pictures that stay where others host them: {n}; --remote moves those too",
            n=select.elsewhere,
        )
    if options.json:
        yield Item("", mover.as_json)


def _undo(options: argparse.Namespace, context: Context) -> Answer:
    from imghost.posts.backups import undo

    undone = list(undo(context.dirs.backups, options.undo))
    failed = sum(one.problem is not None for one in undone)
    console = context.console
    for one in undone:
        if one.problem:
            console.tell(one.problem)
    console.note("posts that are as they were: {n}", n=len(undone) - failed)
    if options.json:
        told = [
            {
                "post": str(one.path),
                "changed": one.changed,
                "reason": console.say(one.problem) if one.problem else "",
            }
            for one in undone
        ]
        items = [Item("", lambda: {"run": options.undo, "posts": told})]
    else:
        items = [Item(printable(str(one.path)), dict) for one in undone if one.changed]
    return Answer(items, one=True, exit_code=lambda: SomeFailed.exit_code if failed else 0)

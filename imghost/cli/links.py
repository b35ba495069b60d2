"""imghost links: whether the pictures of posts are still to be seen; keep them, bring them back."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from imghost.cli.console import Answer, Item, progress_bar
from imghost.cli.context import Context
from imghost.cli.link_lines import LinkLines
from imghost.cli.moving import Mover
from imghost.cli.parser import Parser, seconds
from imghost.errors import SomeFailed, UsageError
from imghost.models import Alive
from imghost.server.asked import UploadOptions
from imghost.text import size_text

if TYPE_CHECKING:
    from imghost.app import App
    from imghost.posts.checking import Checked
    from imghost.posts.keeping import Kept
    from imghost.posts.recorded import Recorded
    from imghost.posts.using import Read

SUMMARY = "Check the links in posts, keep copies of their pictures, bring dead ones back."
_ACTIONS = ("check", "keep", "rescue")
_OF_RESCUE = ("all", "host", "bucket", "dry_run")
_WAIT_S = 60.0
_ASK_S = 30.0
_TAG = '<meta name="referrer" content="no-referrer">'


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("action", choices=_ACTIONS, help="what to do")
    parser.add("posts", nargs="+", metavar="POSTS", help="posts, folders of posts, or patterns")
    parser.add(
        "--all", action="store_true", help="with rescue: every picture of which an original is kept"
    )
    parser.add("--host", default="", help="with rescue: where to, instead of the configured host")
    parser.add("--bucket", default="", help="with rescue: the host's bucket")
    parser.add("--dry-run", action="store_true", help="with rescue: show what would change only")
    parser.add(
        "--wait",
        type=seconds,
        default=_WAIT_S,
        help="how long to try a failing host again, in seconds",
    )
    parser.add("--yes", action="store_true", help="do not ask")
    parser.add("--json", action="store_true", help="print JSON")
    parser.add("--quiet", action="store_true", help="say only what went wrong")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Do one of these. Raises UsageError for options that go with another one."""
    if options.action != "rescue" and any(getattr(options, name) for name in _OF_RESCUE):
        raise UsageError("--all, --host, --bucket and --dry-run go with links rescue")
    match options.action:
        case "check":
            return _check(options, context)
        case "keep":
            return _keep(options, context)
    mover = Mover(context, options.posts)
    unsure: list[Checked] = []
    return Answer(
        _rescued(options, context, mover, unsure),
        one=True,
        exit_code=lambda: SomeFailed.exit_code if unsure else mover.exit_code(),
    )


# -- check


def _check(options: argparse.Namespace, context: Context) -> Answer:
    from imghost.posts.originals import Originals
    from imghost.posts.recorded import Recorded

    posts = _read(options, context)
    links = _links(posts)
    with context.app() as app:
        recorded = Recorded(app.journal, links)
        checked = _checked(app, recorded, links, context)
        originals = Originals(app.pipeline().hosts, recorded, app.copies, app.store, links)
        kept = {link for link in links if originals.of(link)}
    _tell_checked(checked, context)
    lines = LinkLines(posts, context.console.say)
    broken = [one for one in checked if not one.is_fine]
    items = [Item(lines.checked(one, is_kept=one.link in kept), dict) for one in broken]
    if options.json:
        items = [
            Item("", partial(lines.checked_json, one, recorded, is_kept=one.link in kept))
            for one in checked
        ]
    return Answer(items, exit_code=partial(_exit_code, posts, broken))


def _checked(
    app: App, recorded: Recorded, links: Sequence[str], context: Context
) -> Sequence[Checked]:
    """What a look at each link shows; the journal knows it then, too."""
    from imghost.posts.checking import Checker, marks_of
    from imghost.transport.fetch import internet

    pipeline = app.checked_pipeline()
    with closing(internet(_ASK_S)) as http:
        checker = Checker(pipeline.hosts, recorded, http, pipeline.config.verify.blog)
        checked = checker.check(links, _progress(context, len(links)))
    context.console.bar("")
    app.journal.mark_all(marks_of(checked, recorded))
    return checked


def _tell_checked(checked: Sequence[Checked], context: Context) -> None:
    from imghost.transport.web import host_of

    console = context.console
    bad = sum(not one.is_fine for one in checked)
    console.note("links: {n}; not fine: {bad}", n=len(checked), bad=bad)
    for host in dict.fromkeys(host_of(one.link) for one in checked if one.needs_tag):
        console.tell(
            "pictures of {host} show on your blog only if its pages send no Referer: put {tag} "
            "into their head",
            host=host,
            tag=_TAG,
        )


# -- keep


def _keep(options: argparse.Namespace, context: Context) -> Answer:
    posts = _read(options, context)
    links = _links(posts)
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
    return Answer(items, exit_code=partial(_exit_code, posts, failed))


def _kept(app: App, links: Sequence[str], context: Context) -> Sequence[Kept]:
    from imghost.posts.keeping import Keeper, Shelf
    from imghost.posts.recorded import Recorded
    from imghost.transport.fetch import internet

    pipeline = app.checked_pipeline()
    shelf = Shelf(app.store, app.copies, app.journal)
    recorded = Recorded(app.journal, links)
    with closing(internet(_ASK_S)) as http:
        keeper = Keeper(pipeline.hosts, recorded, shelf, http, pipeline.config.limits)
        missing = keeper.missing(links)
        kept = keeper.keep(missing, _progress(context, len(missing)))
    context.console.bar("")
    return kept


# -- rescue


def _rescued(
    options: argparse.Namespace, context: Context, mover: Mover, unsure: list[Checked]
) -> Iterator[Item]:
    """The posts that changed; `unsure` becomes the links that may be dead."""
    from imghost.posts.moving import planned
    from imghost.posts.originals import Originals
    from imghost.posts.recorded import Recorded
    from imghost.posts.rescue import Rescue

    posts = _read(options, context)
    links = _links(posts)
    with context.app() as app:
        recorded = Recorded(app.journal, links)
        checked = [] if options.all else _checked(app, recorded, links, context)
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


# -- all of them


def _read(options: argparse.Namespace, context: Context) -> Sequence[Read]:
    """The posts; what cannot be read is told."""
    from imghost.posts.post import find_posts
    from imghost.posts.using import read_posts

    asked = UploadOptions(options.host, options.bucket, "url", "", options.wait)
    posts = list(read_posts(find_posts(options.posts), asked))
    for post in posts:
        if post.problem and options.action != "rescue":  # which tells of it in the end
            context.console.tell(post.problem)
    return posts


def _links(posts: Sequence[Read]) -> Sequence[str]:
    return list(dict.fromkeys(link for post in posts for link in post.links))


def _progress(context: Context, total: int) -> Callable[[int], None]:
    def show(done: int) -> None:
        context.console.bar(progress_bar(done, total))

    return show


def _exit_code(posts: Sequence[Read], bad: Sequence[object]) -> int:
    return SomeFailed.exit_code if bad or any(post.problem for post in posts) else 0

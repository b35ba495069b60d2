"""imghost links check: whether the pictures of posts are still to be seen."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from imghost.cli.console import Answer, Item
from imghost.cli.context import Context
from imghost.cli.link_lines import LinkLines
from imghost.cli.parser import Parser
from imghost.cli.post_links import add_posts, exit_code, links_of, look_at, read

if TYPE_CHECKING:
    from imghost.posts.checking import Checked

SUMMARY = "Look at each link in posts once, and name those that are not fine."


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    add_posts(parser)
    parser.add_output()
    parser.epilog = parser.say(
        "Example: imghost links check ~/blog; it ends with 9 if any link is not fine."
    )


def run(options: argparse.Namespace, context: Context) -> Answer:
    """One line for each link that is not fine."""
    from imghost.posts.originals import Originals
    from imghost.posts.recorded import Recorded

    posts = read(options.posts, context)
    links = links_of(posts)
    with context.app() as app:
        recorded = Recorded(app.journal, links)
        checked = look_at(app, recorded, links, context)
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
    return Answer(items, exit_code=partial(exit_code, posts, broken))


def _tell_checked(checked: Sequence[Checked], context: Context) -> None:
    from imghost.links import REFERRER_TAG
    from imghost.transport.web import host_of

    console = context.console
    bad = sum(not one.is_fine for one in checked)
    console.note("links: {n}; not fine: {bad}", n=len(checked), bad=bad)
    for host in dict.fromkeys(host_of(one.link) for one in checked if one.needs_tag):
        console.tell(
            "pictures of {host} show on your blog only if its pages send no Referer: put {tag} "
            "into their head",
            host=host,
            tag=REFERRER_TAG,
        )

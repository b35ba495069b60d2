"""What the commands for links in posts share: posts read, their links looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from imghost.cli.console import progress_bar
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.errors import SomeFailed

if TYPE_CHECKING:
    from imghost.app import App
    from imghost.posts.checking import Checked
    from imghost.posts.recorded import Recorded
    from imghost.posts.using import Read

ASK_S = 30.0


def add_posts(parser: Parser) -> None:
    """The posts whose links are meant."""
    parser.add(
        "posts", nargs="+", metavar="POSTS", help="posts, folders of posts, or patterns in quotes"
    )


def read(inputs: Sequence[str], context: Context) -> Sequence[Read]:
    """The posts; what cannot be read is told."""
    from imghost.posts.post import find_posts
    from imghost.posts.using import read_posts
    from imghost.server.asked import UploadOptions

    posts = list(read_posts(find_posts(inputs), UploadOptions()))
    for post in posts:
        if post.problem:
            context.console.tell(post.problem)
    return posts


def look_at(
    app: App, recorded: Recorded, links: Sequence[str], context: Context
) -> Sequence[Checked]:
    """What a look at each link shows; the journal knows it then, too."""
    from imghost.posts.checking import Checker, marks_of
    from imghost.transport.fetch import internet

    pipeline = app.checked_pipeline()
    with closing(internet(ASK_S)) as http:
        checker = Checker(pipeline.hosts, recorded, http, pipeline.config.verify.blog)
        checked = checker.check(links, progress(context, len(links)))
    context.console.bar("")
    app.journal.mark_all(marks_of(checked, recorded))
    return checked


def links_of(posts: Sequence[Read]) -> Sequence[str]:
    """Their links, each once."""
    return list(dict.fromkeys(link for post in posts for link in post.links))


def progress(context: Context, total: int) -> Callable[[int], None]:
    """Shows how many of these were looked at."""

    def show(done: int) -> None:
        context.console.bar(progress_bar(done, total))

    return show


def exit_code(posts: Sequence[Read], bad: Sequence[object]) -> int:
    """Whether anything is bad, or a post could not be read."""
    return SomeFailed.exit_code if bad or any(post.problem for post in posts) else 0

"""Pictures of posts moved by a command, and all that it tells of that."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from imghost.cli.agreeing import announced, is_agreed
from imghost.cli.console import Console, progress_bar
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.errors import DaemonError, MachineError, SomeFailed
from imghost.server.asked import UploadRequest
from imghost.server.wire import Settled
from imghost.text import printable, span_text

if TYPE_CHECKING:
    from imghost.app import App
    from imghost.posts.backups import Run
    from imghost.posts.moving import Moved, Plan, Told
    from imghost.posts.post import Post

_WAIT_S = 60.0
_NAMES = {"name", "path", "url"}


def add_move_arguments(parser: Parser) -> None:
    """What every command that moves pictures takes."""
    parser.add_target(_WAIT_S)
    parser.add("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add("--yes", action="store_true", help="do not ask")
    parser.add_output()


class Mover:
    """Makes a plan come true and tells of it; what it says goes to stderr.

    `inputs` are the posts as the user named them.
    """

    def __init__(self, context: Context, inputs: Sequence[str]) -> None:
        self._context = context
        self._console = context.console
        self._inputs = inputs
        self._ended: list[Moved] = []
        self._run: Run | None = None
        self._uploads = 0

    def lines(self, app: App, plan: Plan, *, dry_run: bool, yes: bool) -> Iterator[str]:
        """The posts that changed, if that is agreed; or how they would change."""
        self._uploads = len(plan.uploads)
        if plan.is_idle:
            self._console.note("nothing is to be moved")
        if dry_run:
            announced(self._console, app, plan)
            yield from self.tried(app, plan)
        elif is_agreed(self._console, app, plan, yes=yes):
            yield from self.moved(app, plan)

    def moved(self, app: App, plan: Plan) -> Iterator[str]:
        """Each post that changed, as soon as it has; all else is told in the end."""
        from imghost.posts.backups import Run
        from imghost.posts.moving import move

        run = self._run = Run(app.dirs.backups, app.owner.tmp)
        upload = partial(_uploaded, self._context, app)
        progress = _Progress(self._console, len(plan.uploads))
        try:
            with closing(move(plan, upload, run.write, progress)) as moving:
                for moved in moving:
                    self._ended.append(moved)
                    if moved.links:
                        yield printable(str(moved.post))
        finally:
            self._remember(app, plan)
            self._tell()

    def tried(self, app: App, plan: Plan) -> Iterator[str]:
        """How each post would change, as a diff; nothing is uploaded, and nothing written."""
        from imghost.posts.moving import move
        from imghost.posts.post import check_writable
        from imghost.posts.trying import difference, placeholders

        diffs: list[str] = []

        def show(post: Post, text: str) -> None:
            check_writable(post)
            diffs.append(difference(post, text))

        give = partial(placeholders, app.journal)
        for moved in move(plan, give, show, lambda _: None):
            self._ended.append(moved)
            yield from diffs
            diffs.clear()
        self._tell()

    def exit_code(self) -> int:
        """Its own for the only picture, else whether any failed."""
        codes = {told.exit_code for moved in self._ended for told in moved.failed}
        if len(codes) == 1 and self._uploads == 1:
            return codes.pop()
        return SomeFailed.exit_code if codes else 0

    def as_json(self) -> dict[str, object]:
        """All that was told, as JSON."""
        told = [one for one in self._ended if one.links or one.failed or one.left]
        run = self._run.id if self._run else ""
        return {"run": run, "posts": [self._post_json(moved) for moved in told]}

    def _post_json(self, moved: Moved) -> dict[str, object]:
        return {
            "post": str(moved.post),
            "links": [
                {"line": reference.line, "old": reference.target, "new": link}
                for reference, link in moved.links.items()
            ],
            "failed": [self._told_json(one) for one in moved.failed],
            "left": [self._told_json(one) for one in moved.left],
        }

    def _told_json(self, told: Told) -> dict[str, object]:
        reason = told.why
        return {"line": told.line, "what": told.what, "reason": self._console.say(reason)}

    def _remember(self, app: App, plan: Plan) -> None:
        from imghost.posts.remembered import remember

        links = {read.path: set(read.links) for read, _ in plan.posts if read.post}
        unread = [read.path for read, _ in plan.posts if not read.post]
        for moved in self._ended:
            links.setdefault(moved.post, set()).update(moved.links.values())
        try:
            remember(app.dirs.posts, app.owner.tmp, self._inputs, links, unread)
        except MachineError as exc:
            self._console.tell(exc.message)

    def _tell(self) -> None:
        console = self._console
        for told in (one for moved in self._ended for one in moved.left):
            console.tell("{path}:{line}: left: {reason}", **_place(told), reason=told.why)
        for told in (one for moved in self._ended for one in moved.failed):
            problem = told.why
            if not told.line and problem.fields.get("path") == str(told.post):
                console.tell(problem)
            elif not told.line:
                console.tell("{path}: {problem}", path=str(told.post), problem=problem)
            elif problem.fields.keys() & _NAMES:
                console.tell("{path}:{line}: {problem}", **_place(told), problem=problem)
            else:
                console.tell(
                    "{path}:{line}: {text}: {problem}",
                    **_place(told),
                    text=told.what,
                    problem=problem,
                )
        self._tell_places()
        changed = [moved for moved in self._ended if moved.links]
        counts = {"links": sum(len(moved.links) for moved in changed), "posts": len(changed)}
        if changed and self._run:
            console.note(
                "new links: {links}, in posts: {posts}; imghost migrate --undo {run} puts the old "
                "ones back",
                run=self._run.id,
                **counts,
            )
        elif changed:
            console.note(
                "there would be new links: {links}, in posts: {posts}; those at .invalid stand for "
                "what uploading gives",
                **counts,
            )

    def _tell_places(self) -> None:
        """Where else to try what came back as it was: with --all, since for now it may live."""
        from imghost.posts.moving import SAME_AGAIN

        failed = [told.why for moved in self._ended for told in moved.failed]
        places = [str(why.fields["options"]) for why in failed if why.template == SAME_AGAIN]
        for options in dict.fromkeys(filter(None, places)):
            self._console.tell(
                "to try another place, add --all and one of: {options}", options=options
            )


class _Progress:
    """A bar with the time that is left, by what was done so far."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._began_at = time.monotonic()
        if total:
            console.bar(progress_bar(0, total))

    def __call__(self, done: int) -> None:
        left_s = (time.monotonic() - self._began_at) / done * (self._total - done)
        message = span_text(left_s)
        self._console.bar(f"{progress_bar(done, self._total)}  {self._console.say(message)}")


def _place(told: Told) -> dict[str, str | int]:
    return {"path": str(told.post), "line": told.line}


def _uploaded(context: Context, app: App, request: UploadRequest) -> Iterator[Settled]:
    """Each input's outcome, by the running daemon if there is one; what it leaves is done here."""
    left = dict(enumerate(request.inputs))
    if context.helper:
        from imghost.cli.client import upload

        try:
            for one in upload(context.helper, request):
                del left[one.index]
                yield one
        except DaemonError as exc:
            context.console.note("{problem}; the rest is done without it", problem=exc.message)
            app.reap()
    if left:
        places = list(left)
        rest = replace(request, inputs=tuple(left.values()))
        with closing(app.upload(rest, app.cut)) as settled:
            for one in settled:
                yield replace(one, index=places[one.index])

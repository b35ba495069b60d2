"""imghost upload: images in, one link per input out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import groupby
from pathlib import Path

from imghost.cli.console import Answer, Item, progress_bar
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.cli.picgo import OPTION
from imghost.door import Door
from imghost.errors import DaemonError, MachineError, SomeFailed, SourceError
from imghost.models import State
from imghost.posts.placing import placed_around
from imghost.server.asked import (
    BytesInput,
    FileInput,
    Input,
    LinkInput,
    UploadOptions,
    UploadRequest,
)
from imghost.server.wire import Settled
from imghost.sources.files import is_link

SUMMARY = "Upload images and print their links."
_CLIPBOARD = "clipboard"
_WAIT_S = 5.0
_LARGE_BYTES = 1_000_000
_PIECE_BYTES = 1 << 20
_NAMES = {"name", "path", "url"}


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add(
        "inputs",
        nargs="*",
        metavar="PATH|URL|-",
        help="images; - reads standard input; none: what is on the clipboard",
    )
    parser.add_target(_WAIT_S)
    parser.add("--format", default="url", help="how the link is written: url, markdown, html...")
    parser.add("--style", default="", help="the link's suffix, such as @800w.webp; @ for none")
    parser.add("--copy", action="store_true", help="put the links onto the clipboard")
    parser.add("--json", action="store_true", help="print JSON")
    parser.add(OPTION, action="store_true", help="answer as PicGo's command does, for editors")
    parser.add("--quiet", action="store_true", help="say only what went wrong")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Upload by the running daemon if there is one, else here."""
    given = [(word, _input(word, context)) for word in options.inputs] or _copied(context)
    words, inputs = [word for word, _ in given], tuple(one for _, one in given)
    asked = UploadOptions(options.host, options.bucket, options.format, options.style, options.wait)
    requests = _requests(inputs, asked)
    settled = _by_daemon(context.helper, requests) if context.helper else _here(requests, context)
    shown = _Shown(words, context, copies=options.copy)
    return Answer(shown.items(settled), exit_code=shown.exit_code)


def _input(word: str, context: Context) -> Input:
    if word == "-":
        return BytesInput("stdin", _standard_input(context))
    return LinkInput(word) if is_link(word) else FileInput(str(Path(word).absolute()))


def _copied(context: Context) -> list[tuple[str, Input]]:
    from imghost.copying import held_now, inputs_of, replaced_inputs
    from imghost.sources.off_limits import off_limits

    held = held_now(context.environ, context.config.limits.input_bytes)
    inputs = inputs_of(held, off_limits(context.dirs)) or replaced_inputs(_given(context.daemon))
    return [(one.path if isinstance(one, FileInput) else _CLIPBOARD, one) for one in inputs]


def _given(door: Door | None) -> Sequence[int]:
    from imghost.cli.client import given

    return given(door) if door else ()


def _standard_input(context: Context) -> bytes:
    from imghost.imaging.sniff import HEAD_BYTES, format_of

    stdin = context.console.stdin
    if stdin is None:
        raise SourceError("there is no standard input; name a file")
    max_bytes = context.config.limits.input_bytes
    piece = stdin.buffer.read(HEAD_BYTES)
    if not format_of(piece):
        return piece  # it is refused for its beginning, and may have no end
    whole = BytesIO()
    while piece:
        whole.write(piece)
        if whole.tell() > max_bytes:
            raise SourceError(
                "standard input is larger than {max_mb} MB; raise limits.input_bytes if it is "
                "meant to be",
                max_mb=max_bytes // 1_000_000,
            )
        piece = stdin.buffer.read(_PIECE_BYTES)
    return whole.getvalue()


def _requests(inputs: Sequence[Input], options: UploadOptions) -> list[UploadRequest]:
    """The inputs in their order; files of a blog go where its settings say."""

    def place(given: Input) -> UploadOptions:
        return placed_around(options, given.path) if isinstance(given, FileInput) else options

    return [UploadRequest(tuple(alike), own) for own, alike in groupby(inputs, place)]


def _by_daemon(door: Door, requests: list[UploadRequest]) -> Iterator[Settled]:
    from imghost.cli.client import upload

    return _in_order(requests, partial(upload, door))


def _here(requests: list[UploadRequest], context: Context) -> Iterator[Settled]:
    with context.app() as app:
        private = False
        upload = partial(app.upload, cut=app.cut)
        with closing(_in_order(requests, upload)) as settled:
            for one in settled:
                url = one.record.url if one.record and one.failure is None else ""
                private = private or (bool(app.base_url) and url.startswith(app.base_url))
                yield one
        if private and not context.daemon:
            context.console.note(
                "the link answers while imghost runs (imghost watch), and only on this computer; "
                "for others choose --host, or set hosts.local.public_url"
            )


def _in_order(
    requests: list[UploadRequest], upload: Callable[[UploadRequest], Iterator[Settled]]
) -> Generator[Settled, None, None]:
    start = 0
    for request in requests:
        for one in upload(request):
            yield replace(one, index=start + one.index)
        start += len(request.inputs)


class _Shown:
    """The settled inputs as results, with all that is to be said beside them."""

    def __init__(self, words: list[str], context: Context, *, copies: bool) -> None:
        self._words = words
        self._context = context
        self._console = context.console
        self._copies = copies
        self._failures: list[Settled] = []
        self._copy_code = 0

    def items(self, settled: Iterator[Settled]) -> Iterator[Item]:
        """One result per input, the empty line for one that failed."""
        links: list[str] = []
        self._show_progress(0)
        for one in settled:
            self._tell(one)
            text = one.text if one.failure is None else ""
            links.append(text)
            yield Item(text, partial(self._json, one))
            self._show_progress(one.index + 1)
        if self._copies and any(links):
            self._copy("\n".join(filter(None, links)))

    def exit_code(self) -> int:
        """Its own for the only input, else whether any failed; or that copying did."""
        if not self._failures:
            return self._copy_code
        failure = self._failures[0].failure
        return SomeFailed.exit_code if len(self._words) > 1 or not failure else failure.exit_code

    def _copy(self, text: str) -> None:
        try:
            self._context.copy(text)
        except (DaemonError, MachineError) as exc:
            self._copy_code = exc.exit_code
            self._console.tell(
                "uploaded, and the link stands on standard output; only copying it failed: "
                "{problem}",
                problem=exc.message,
            )

    def _tell(self, one: Settled) -> None:
        name = self._words[one.index]
        for note in one.record.notes if one.record and not one.reused else ():
            self._console.note("{name}: {note}", name=name, note=note)
        if one.failure is None:
            return
        self._failures.append(one)
        problem = one.failure.message
        if one.record is None and (len(self._words) == 1 or problem.fields.keys() & _NAMES):
            self._console.tell(problem)
        elif one.record is None:
            self._console.tell("{name}: {problem}", name=name, problem=problem)
        elif one.record.state is State.FAILED:
            self._console.tell(
                "{name}: {problem}; the image is kept, and imghost retry {id} tries it again",
                name=name,
                problem=problem,
                id=one.record.id,
            )
        else:
            self._console.tell(
                "{name}: {problem}; the image is kept, and sent when imghost runs, or by "
                "imghost retry",
                name=name,
                problem=problem,
            )

    def _json(self, one: Settled) -> dict[str, object]:
        from imghost.report import NOTHING_JSON, record_json

        if one.record:
            return record_json(one.record, one.text, self._console.say)
        reason = self._console.say(one.failure.message) if one.failure else ""
        return NOTHING_JSON | {"name": self._words[one.index], "reason": reason}

    def _show_progress(self, done: int) -> None:
        if len(self._words) > 1 or _size_bytes(self._words[0]) > _LARGE_BYTES:
            self._console.bar(progress_bar(done, len(self._words)))


def _size_bytes(word: str) -> int:
    try:
        return Path(word).stat().st_size
    except (OSError, ValueError):
        return 0

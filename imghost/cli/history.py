"""imghost history: what was uploaded, and how to forget it."""

from __future__ import annotations

import argparse
import re
import time
from functools import partial

from imghost.cli.console import Answer, Item
from imghost.cli.context import Context
from imghost.cli.parser import Parser, whole_number
from imghost.errors import ImghostError, SomeFailed, SourceError, UsageError
from imghost.models import Alive, Record, State
from imghost.report import iso_time, record_json
from imghost.text import Speaker, printable

SUMMARY = "List uploads, copy their links again, or forget them (history rm)."
_LIMIT = 20
_SPAN = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)
_BROKEN = {Alive.DEAD: "the link is dead", Alive.SUSPECT: "the link is suspect"}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add("words", nargs="*", help="only uploads with these words; rm ID... forgets uploads")
    parser.add("--since", type=span_s, default=None, help="only the last 30m, 1h, 7d...")
    parser.add("--limit", type=whole_number, default=_LIMIT, help="how many at most")
    parser.add("--format", default="", help="only links, written as url, markdown, html...")
    parser.add("--style", default="", help="the links' suffix, such as @800w.webp; @ for none")
    parser.add("--copy", action="store_true", help="put the links on the clipboard")
    parser.add("--json", action="store_true", help="print JSON")
    parser.add("--last", action="store_true", help="with rm: the last upload")
    parser.add("--host", action="store_true", help="with rm: delete it at its host too")


def run(options: argparse.Namespace, context: Context) -> Answer:
    """List or forget."""
    if options.words[:1] == ["rm"]:
        return _forget(options, context)
    if options.last or options.host:
        raise UsageError("--last and --host belong to imghost history rm")
    return _list(options, context)


def span_s(text: str) -> float:
    """The seconds that a span such as 30m, 1h or 7d comes to. Raises ValueError."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(text)
    return float(int(found[1]) * _SECONDS[found[2]])


def _list(options: argparse.Namespace, context: Context) -> Answer:
    with context.app() as app:
        since = 0.0 if options.since is None else time.time() - options.since
        pipeline = app.pipeline()
        found = app.journal.history(options.words, since=since, limit=options.limit)
        records = [pipeline.current(record) for record in found]
        order = pipeline.order(format_name=options.format, style=options.style)
        texts = [pipeline.text(record, order) for record in records]
    say = context.console.say
    if options.copy:
        _copy("\n".join(text for text in reversed(texts) if text), context)
    return Answer(
        [
            Item(
                text if options.format else _line(record, text, say),
                partial(record_json, record, text, say),
            )
            for record, text in zip(records, texts, strict=True)
            if text or not options.format
        ]
    )


def _line(record: Record, text: str, say: Speaker) -> str:
    end = text or (say(record.reason) if record.reason else say(str(record.state)))
    if record.state is State.DONE and record.alive in _BROKEN:
        end = f"{end}  {say(_BROKEN[record.alive])}"
    minute = iso_time(record.created_at)[:16].replace("T", " ")
    return f"{record.id:>5}  {minute}  {printable(record.name)}  {end}"


def _forget(options: argparse.Namespace, context: Context) -> Answer:
    from imghost.forget import forget

    ids = [_id(word) for word in options.words[1:]]
    failed = 0
    with context.app() as app:
        if options.last:
            ids += [record.id for record in app.journal.history(limit=1)]
        if not ids:
            raise UsageError("name the ids of the uploads to forget; see imghost history")
        for record_id in ids:
            try:
                forget(app, app.journal.get(record_id), at_host=options.host)
            except ImghostError as exc:
                if len(ids) == 1:
                    raise
                failed += 1
                context.console.tell(exc.message)
    context.console.tell("{n} forgotten", n=len(ids) - failed)
    return Answer([], exit_code=lambda: SomeFailed.exit_code if failed else 0)


def _id(word: str) -> int:
    try:
        return whole_number(word)
    except ValueError:
        raise UsageError("{word} is no id; see imghost history", word=word) from None


def _copy(text: str, context: Context) -> None:
    if not text:
        raise SourceError("there is no link to copy")
    context.copy(text)

"""What came of an editor's upload, in PicGo's shape and in words for the editor's own error box."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imghost.models import State
from imghost.server.asked import (
    BytesInput,
    EditorFile,
    FileInput,
    Input,
    Json,
    LinkInput,
    RemoteInput,
    UploadedInput,
)
from imghost.server.peer import OWN_NAMES
from imghost.server.shapes import item_of, known_item, uploaded
from imghost.server.wire import Settled

if TYPE_CHECKING:
    from imghost.text import Speaker

_NAMES = {"name", "path", "url"}
_HERE = frozenset(name.strip("[]") for name in OWN_NAMES)


def told(
    inputs: Sequence[Input],
    known: Mapping[str, int | None],
    settled: Iterator[Settled],
    say: Speaker,
    *,
    is_from_elsewhere: bool = False,
) -> Json:
    """The answer: links in the order of the inputs, and each that has none named with its reason.

    Links that are `known` as ours stand for themselves; `settled` are the other inputs, in order.
    Another machine is warned of links that it cannot open.
    """
    items: list[Json] = []
    problems: list[str] = []
    links = ["" for _ in inputs]
    for place, given in enumerate(inputs):
        named = _word(given)
        word = named or say("picture {place}", place=place + 1)
        if word in known:
            links[place] = word
            items.append(known_item(word, known[word]))
            continue
        outcome = next(settled, None)
        if outcome and outcome.record and outcome.text and not outcome.failure:
            links[place] = outcome.text
            items.append(item_of(word, outcome.text, outcome.record))
        else:
            problems.append(_problem(word, outcome, say, is_named=bool(named)))
    warnings = _warnings(links, say) if is_from_elsewhere else []
    said = say("; ").join([*problems, *warnings])
    return uploaded(links, items, said, success=not problems)


def _warnings(links: Sequence[str], say: Speaker) -> list[str]:
    """What is wrong with the links for another machine."""
    if not any(urlsplit(link).hostname in _HERE for link in links):
        return []
    return [
        say(
            "the link opens only on the computer where imghost runs; set hosts.local.public_url "
            "there to the address by which others reach it"
        )
    ]


def _word(given: Input) -> str:
    match given:
        case FileInput(path) | EditorFile(path):
            return path
        case LinkInput(url) | RemoteInput(url):
            return url
        case BytesInput(name):
            return name
        case UploadedInput():
            return ""


def _problem(word: str, outcome: Settled | None, say: Speaker, *, is_named: bool) -> str:
    if outcome is None or outcome.failure is None:
        return say("{name}: there is no link for it", name=word)
    problem, record = outcome.failure.message, outcome.record
    if record is None and is_named and problem.fields.keys() & _NAMES:
        return say(problem)
    if record is None:
        return say("{name}: {problem}", name=word, problem=problem)
    if record.state is State.FAILED:
        return say(
            "{name}: {problem}; the image is kept, and imghost retry {id} tries it again",
            name=word,
            problem=problem,
            id=record.id,
        )
    return say("{name}: {problem}; the image is kept and will be sent", name=word, problem=problem)

"""Looking for secrets in whatever the program says."""

from __future__ import annotations

import re
import traceback
from base64 import b64decode
from collections.abc import Iterable, Iterator
from urllib.parse import unquote


def shown(exc: BaseException) -> str:
    """All that an error could show of itself: words, causes, and what those hold."""
    texts = ["".join(traceback.format_exception(exc))]
    inner: BaseException | None = exc
    while inner is not None:
        texts += [repr(inner), repr(inner.args)]
        for value in vars(inner).values():
            texts += [repr(value), *(repr(getattr(value, a, "")) for a in ("headers", "body"))]
        inner = inner.__cause__ or inner.__context__
    return "\n".join(texts)


def leaked(text: str, secrets: Iterable[str]) -> list[str]:
    """The secrets that can be read out of the text: through escapes, and through base64."""
    readings = list(_readings(text))
    return [s for s in secrets if any(_unescaped(s) in reading for reading in readings)]


def _readings(text: str) -> Iterator[str]:
    plain = _unescaped(text)
    yield plain
    for run in re.findall(r"[A-Za-z0-9+/_-]{8,}", plain):
        for start in range(4):
            letters = run[start:].translate(_ONE_ALPHABET)
            yield _unescaped(b64decode(letters + -len(letters) % 4 * "A").decode("latin-1"))


_ONE_ALPHABET = str.maketrans("-_", "+/")


def _unescaped(text: str) -> str:
    """What stands behind JSON's escapes and, however often applied, a URL's."""
    text = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    text = re.sub(r"\\+/", "/", text)
    while (less := unquote(text)) != text:
        text = less
    return text

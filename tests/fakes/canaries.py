"""Looking for secrets in whatever the program says, and in what it writes."""

from __future__ import annotations

import logging
import re
import traceback
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from tests.fakes.bilibili import BILI_JCT, SESSDATA
from tests.fakes.s3 import SECRET_KEY

CANARY = "canary-6f1c"
SECRETS = (CANARY, SESSDATA, BILI_JCT, SECRET_KEY)
"""What the tests use as secrets, wherever it does not matter which."""

_MAY_HOLD_SECRETS = frozenset({"config", "door.json"})


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


def canaries_in(data: bytes) -> list[str]:
    """The SECRETS that stand there as they are, percent-encoded or in base64."""
    return [secret for secret in SECRETS if any(form in data for form in _FORMS[secret])]


def secrets_on_disk(root: Path) -> list[str]:
    """Where below imghost's folders a secret stands in a file that is not made for it."""
    return [
        f"{path.relative_to(root)}: {secret}"
        for path in root.rglob("*")
        if path.is_file() and not _MAY_HOLD_SECRETS.intersection(path.relative_to(root).parts)
        for secret in canaries_in(path.read_bytes())
    ]


class Listener(logging.Handler):
    """Hears all that is logged in this process, and keeps what tells a secret."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one line, with its traceback."""
        text = self.format(record)
        if canaries_in(text.encode(errors="replace")):
            self.told.append(text)


def _forms(secret: str) -> Iterator[bytes]:
    for text in {secret, unquote(secret), quote(secret, safe=""), quote(quote(secret, safe=""))}:
        plain = text.encode()
        yield plain
        for start in range(3):  # wherever it begins in what is encoded
            yield b64encode(bytes(start) + plain)[4:-4]


_FORMS = {secret: tuple(_forms(secret)) for secret in SECRETS}

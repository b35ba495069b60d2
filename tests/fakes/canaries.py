"""Looking for secrets in whatever the program says."""

from __future__ import annotations

import traceback
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote, unquote


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
    """The secrets that stand in the text: plain, percent-encoded or decoded, or in base64."""
    return [secret for secret in secrets if any(form in text for form in _forms(secret))]


def _forms(secret: str) -> set[str]:
    plain = {secret, quote(secret, safe=""), unquote(secret)}
    return plain | {b64encode(form.encode()).decode()[:-4] for form in plain}

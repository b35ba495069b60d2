"""Every sentence that a person may read exists in every language, and nothing in it can hide."""

from __future__ import annotations

import ast
import json
import string
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost import errors, text
from imghost.models import Message
from imghost.text import LANGUAGES, Speaker, printable, speaker

PACKAGE = Path(text.__file__).parent
SAYERS = {
    *(name for name, kind in vars(errors).items() if isinstance(kind, type)),
    *("Message", "say", "tell", "note", "ask", "_say"),
}
SAID_BY_NAME = ("SUMMARY", "help")


def _templates() -> set[str]:
    return {
        template
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for template in _said(node)
    }


def _said(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if (name in SAYERS or name.endswith(("Error", "Damaged"))) and node.args:
            yield from _text(node.args[0])
        for keyword in node.keywords:
            if keyword.arg in SAID_BY_NAME:
                yield from _text(keyword.value)
    elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in SAID_BY_NAME:
        yield from _text(node.value)


def _text(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _all_texts() -> set[str]:
    return {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _catalogue(language: str) -> dict[str, str]:
    path = PACKAGE / "catalogues" / f"{language}.json"
    catalogue: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return catalogue


def _fields(template: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_a_catalogue_is_complete(language: str) -> None:
    """Every template in the code is translated, and nothing else stands in the catalogue."""
    catalogue = _catalogue(language)
    assert sorted(_templates() - set(catalogue)) == []
    assert sorted(set(catalogue) - _all_texts()) == []


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_a_translation_names_the_same_fields(language: str) -> None:
    """No translation loses or invents a field."""
    for template, translation in _catalogue(language).items():
        assert _fields(template) == _fields(translation), template


@pytest.mark.parametrize(
    ("configured", "environ", "language"),
    [
        ("", {"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ("", {"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ("", {"LC_MESSAGES": "zh_SG", "LANG": "de_DE"}, "zh_CN"),
        ("", {"LANG": "de_DE.UTF-8"}, "en"),
        ("en", {"LANG": "zh_CN.UTF-8"}, "en"),
        ("zh_CN", {}, "zh_CN"),
    ],
)
def test_speaks_the_users_language(configured: str, environ: dict[str, str], language: str) -> None:
    """The config decides, else the locale."""
    assert speaker(configured, environ).language == language


def test_says_messages_within_messages() -> None:
    """A message may carry another one, which is said in the same language."""
    inner = Message("stopped")
    outer = Message("{name}: {problem}", {"name": "a\x1b[2J.png", "problem": inner})
    assert Speaker("en")(outer) == "a\\x1b[2J.png: stopped"
    said = Speaker("zh_CN")(outer)
    assert said.startswith("a\\x1b[2J.png")
    assert "stopped" not in said


def test_an_unknown_template_is_said_in_english() -> None:
    """What an older or newer version wrote into the journal is still readable."""
    assert Speaker("zh_CN")("never heard {n}", n=3) == "never heard 3"


@given(st.text())
def test_nothing_printed_can_steer_a_terminal(anything: str) -> None:
    """No control, bidirectional or zero-width character survives."""
    shown = printable(anything)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert len(shown) >= len(anything)


@pytest.mark.parametrize("plain", ["截图 2026.png", "naïve café", "😀.webp", "a  b"])
def test_leaves_plain_text_alone(plain: str) -> None:
    """Names in any language are shown as they are."""
    assert printable(plain) == plain


json_fields = st.dictionaries(
    st.text(max_size=5), st.text() | st.integers() | st.floats(allow_nan=False), max_size=3
)


@given(st.text(), json_fields)
def test_a_message_survives_json(template: str, fields: dict[str, str | int | float]) -> None:
    """A message comes back from JSON as it was, with a message inside too."""
    message = Message(template, {**fields, "inner": Message("x", fields)})
    assert Message.from_json(json.loads(json.dumps(message.as_json()))) == message


@pytest.mark.parametrize("value", [None, 1, [], ["x"], ["x", 1], [1, {}], ["x", {"a": [1]}]])
def test_nothing_else_is_a_message(value: object) -> None:
    """JSON of another shape is refused."""
    with pytest.raises(ValueError, match="not a message"):
        Message.from_json(value)

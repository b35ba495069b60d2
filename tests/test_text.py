"""Every sentence that a person may read exists in every language, and nothing in it can hide."""

from __future__ import annotations

import ast
import json
import re
import string
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes

import imghost
from imghost.cli import parser
from imghost.errors import ImghostError
from imghost.models import Message, State
from imghost.text import LANGUAGES, Speaker, printable, speaker

PACKAGE = Path(imghost.__file__).parent
TRANSLATIONS = [language for language in LANGUAGES if language != "en"]
SAYERS = {"Message", "say", "_say"}
CONSOLES, CONSOLE_SAYS = {"console", "_console"}, {"tell", "note", "ask", "ask_hidden"}
SAID_BY_NAME = {"SUMMARY", "help"}
FROM_TABLES = {
    *(template for _, template in parser._ERRORS),  # noqa: SLF001 - said by Parser.error
    *(str(state) for state in State),
}
HANDED_ON = re.compile(
    r"[^{ ]*\b(?:message|template|(?:pause_)?reason|problem|note|question|summary|help|text"
    r"|state|topic\.value)\W*"
)
"""How an expression ends whose templates stand elsewhere: where its message was made."""


HANDED_TO_PAGES = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Filter)


@cache
def _said() -> tuple[set[str], set[str]]:
    """The templates in the code, and the expressions that are said and do not show theirs."""
    for module in walk_packages(imghost.__path__, "imghost."):
        if module.name != "imghost.__main__":
            with suppress(ImportError):  # what another system has
                import_module(module.name)
    sayers = SAYERS | {kind.__name__ for kind in _kinds(ImghostError)}
    templates, unclear = set(FROM_TABLES), set()
    for path in PACKAGE.rglob("*.py"):
        tree = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
        named = {name: value for node in tree for name, value in _named(node)}
        for said in (said for node in tree for said in _said_by(node, sayers)):
            found = set(_texts(said, named))
            templates |= found
            if not found and not HANDED_ON.fullmatch(ast.unparse(said)):
                unclear.add(f"{path.name}: {ast.unparse(said)}")
    for name, page in _pages().items():
        for call in page.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "say":
                found = set(_page_texts(call.args[0]))
                templates |= found
                if not found and not isinstance(call.args[0], HANDED_TO_PAGES):
                    unclear.add(f"{name}: {call.args[0]}")
    return templates, unclear


def _pages() -> dict[str, nodes.Template]:
    """The gallery's templates, parsed."""
    folder = PACKAGE / "server" / "gallery" / "templates"
    paths = [*folder.glob("*.html")]
    return {path.name: Environment(autoescape=True).parse(path.read_text()) for path in paths}


def _page_texts(said: nodes.Expr) -> Iterator[str]:
    choices = [said.expr1, said.expr2] if isinstance(said, nodes.CondExpr) else [said]
    for text in choices:
        if isinstance(text, nodes.Const) and isinstance(text.value, str):
            yield text.value


def _kinds(kind: type[ImghostError]) -> Iterator[type[ImghostError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        yield node.targets[0].id, node.value


def _said_by(node: ast.AST, sayers: set[str]) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        if _name(node.func) in sayers or _is_console_s(node.func):
            yield from node.args[:1]
        yield from (word.value for word in node.keywords if word.arg in SAID_BY_NAME)
    yield from (value for name, value in _named(node) if name in SAID_BY_NAME)


def _is_console_s(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in CONSOLE_SAYS
        and _name(function.value) in CONSOLES
    )


def _name(node: ast.expr) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def _texts(node: ast.expr, named: Mapping[str, ast.expr]) -> Iterator[str]:
    """The texts that an expression may stand for: its own, a constant's, or those of a table."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=first, orelse=second):
            yield from (*_texts(first, named), *_texts(second, named))
        case ast.Dict(values=values):
            for value in values:
                yield from _texts(value, named)
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)) if name in named:
            yield from _texts(named[name], {})


def _catalogue(language: str) -> dict[str, str]:
    catalogue: dict[str, str] = json.loads(_file(language).read_text(encoding="utf-8"))
    return catalogue


def _file(language: str) -> Path:
    return PACKAGE / "catalogues" / f"{language}.json"


def _fields(template: str) -> set[tuple[str | None, str | None, str | None]]:
    return {part[1:] for part in string.Formatter().parse(template) if part[1] is not None}


def test_all_that_is_said_can_be_translated() -> None:
    """Whatever is said is a text in the code, a constant, or a message that was made elsewhere."""
    assert _said()[1] == set()


def test_pages_have_no_words_that_are_not_said() -> None:
    """Between the tags of a template stand no words but names of programs, keys and settings."""
    untold = {"imghost", "local", "Ctrl", "Enter", "Delete", "C", "G", "N", "P", "R", "S", "U", "V"}
    for name, page in _pages().items():
        html = "".join(data.data for data in page.find_all(nodes.TemplateData))
        text = re.sub(
            r"<(?:pre|title)>.*?</(?:pre|title)>|<[^>]*>|&\w+;", " ", html, flags=re.DOTALL
        )
        assert {*re.findall(r"[^\W\d_]+", text)} <= untold, name


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_catalogue_is_complete(language: str) -> None:
    """Every template in the code is translated, and nothing else stands in the catalogue."""
    templates, catalogue = _said()[0], _catalogue(language).keys()
    assert sorted(templates - catalogue) == []
    assert sorted(catalogue - templates) == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_catalogue_is_in_order(language: str) -> None:
    """It is sorted and written in one way, so that a change shows as what it is."""
    in_order = json.dumps(_catalogue(language), ensure_ascii=False, indent=1, sort_keys=True)
    assert _file(language).read_text(encoding="utf-8") == f"{in_order}\n"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_names_the_same_fields(language: str) -> None:
    """No translation loses or invents a field."""
    for template, translation in _catalogue(language).items():
        assert _fields(template) == _fields(translation), template


def test_chinese_has_its_own_punctuation() -> None:
    """Beside a Chinese character stands no mark of English, but for a colon before an input."""
    mixed = re.compile(
        r"[\u4e00-\u9fff] ?(?:[,;?!()]|:(?!$)|\.(?![\w.]))|[,;?!()] ?[\u4e00-\u9fff]"
    )
    found = [said for said in _catalogue("zh_CN").values() if mixed.search(said)]
    assert found == []


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


def test_what_has_no_name_is_called_something_in_each_language() -> None:
    """The clipboard, and a picture without a name; any other name stays what it is."""
    say = Speaker("zh_CN")
    needs = "{name} needs a value after it"
    names = [
        say(needs, name=name).split(maxsplit=1)[0] for name in ("clipboard", "image", "image.a")
    ]
    assert names == ["剪贴板", "图片", "image.a"]
    assert say("{key} is empty now", key="image").startswith("image ")
    assert Speaker("en")(needs, name="image") == "image needs a value after it"


def test_says_messages_within_messages() -> None:
    """A message may carry another one, which is said in the same language."""
    inner = Message("stopped")
    outer = Message("{name}: {problem}", {"name": "a\x1b[2J.png", "problem": inner})
    assert Speaker("en")(outer) == "a\\x1b[2J.png: stopped"
    said = Speaker("zh_CN")(outer)
    assert said.startswith("a\\x1b[2J.png")
    assert "stopped" not in said


def test_a_long_name_is_said_in_short() -> None:
    """Its beginning and its end, and two hundred characters whole."""
    say = Speaker("en")
    assert say("{path} is fine", path="a" * 100 + "x" * 900 + "b" * 100) == (
        f"{'a' * 100}…{'b' * 100} is fine"
    )
    assert say("{path} is fine", path="a" * 200) == f"{'a' * 200} is fine"


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


@given(st.text(st.characters(exclude_characters="{}"), max_size=50))
def test_an_unknown_template_cannot_steer_a_terminal(words: str) -> None:
    """Templates that came from elsewhere are made printable like texts, in every language."""
    for language in LANGUAGES:
        said = Speaker(language)(Message(f"\x1b]52{words}{{n}}", {"n": 3}))
        assert said == f"\\x1b]52{printable(words)}3"


json_fields = st.dictionaries(
    st.from_regex(r"field_[a-z0-9]{0,3}", fullmatch=True),
    st.text() | st.integers() | st.floats(allow_nan=False),
    max_size=3,
)


@given(st.text(st.characters(exclude_characters="{}"), min_size=1), json_fields)
def test_a_message_survives_json(words: str, fields: dict[str, str | int | float]) -> None:
    """A message comes back from JSON as it was, with a message inside too."""
    template = f"{words} {{{{}}}} {' '.join(f'{{{name}}}' for name in fields)} {{inner}}"
    message = Message(template, {**fields, "inner": Message("x", fields)})
    assert Message.from_json(json.loads(json.dumps(message.as_json()))) == message
    assert str(message).startswith(f"{words} {{}} ")


def test_what_is_said_is_believed() -> None:
    """Every template in the code comes through JSON."""
    for template in _said()[0] - {""}:
        message = Message(template, {name or "": 1 for name, *_ in _fields(template)})
        assert Message.from_json(message.as_json()) == message


@given(st.text(st.sampled_from("{}ab_.![]:>9 0"), max_size=12), st.integers())
def test_no_template_does_more_than_name_its_fields(template: str, n: int) -> None:
    """What is taken for a message is said as its words with the fields in their places."""
    fields = {"a": n, "b": "text"}
    try:
        message = Message.from_json([template, fields])
    except ValueError:
        return
    plain = template.replace("{a}", str(n)).replace("{b}", "text")
    assert str(message) == plain.replace("{{", "{").replace("}}", "}")


@pytest.mark.parametrize(
    "value",
    [
        *(["{a:>2000000000}", {"a": 1}], ["{a.__class__.__mro__}", {"a": 1}], ["{a!r}", {"a": 1}]),
        *(["{a[0]}", {"a": "x"}], ["{}", {}], ["{0}", {"0": 1}], ["{", {}], ["}", {}]),
        *(["{a}", {}], ["{a}{a}{a}", {"a": "x"}], ["x" * 1001, {}], ["", {}]),
        *(["x", {"self": 1}], ["x", {"template": 1}], ["x", {"A": 1}], ["x", {"a": None}]),
        ["{a}", {"a": ["{b:>9}", {"b": 1}]}],
        ["{a}", {"a": ["{a}", {"a": ["{a}", {"a": ["{a}", {"a": ["x", {}]}]}]}]}],
    ],
)
def test_a_message_that_plays_tricks_is_none(value: object) -> None:
    """Formats, attributes, missing fields, endless nesting and length are refused."""
    with pytest.raises(ValueError, match="not a message"):
        Message.from_json(value)


@pytest.mark.parametrize("value", [None, 1, [], ["x"], ["x", 1], [1, {}], ["x", {"a": [1]}]])
def test_nothing_else_is_a_message(value: object) -> None:
    """JSON of another shape is refused."""
    with pytest.raises(ValueError, match="not a message"):
        Message.from_json(value)

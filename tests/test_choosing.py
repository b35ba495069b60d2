"""Choosing: what is clicked counts for the next picture, and stands in the config."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from imghost.app import App
from imghost.choosing import STYLES, Choice, Chooser
from imghost.config import check_style
from imghost.dirs import Dirs
from imghost.errors import ConfigError
from imghost.keep.journal import Entry
from imghost.models import State, Target
from tests.fakes.images import image
from tests.fakes.taking import BASE, write_config


@pytest.fixture
def app(dirs: Dirs) -> Iterator[App]:
    """The parts of a process, with an empty config."""
    file = write_config(dirs, {})
    with App(dirs, file, file.load(), base_url=BASE) as app:
        yield app


@pytest.fixture
def chooser(app: App, dirs: Dirs) -> Chooser:
    """What the tests choose with."""
    return Chooser(app, write_config(dirs, {}))


def test_offers_what_the_host_knows_then_what_was_used(app: App, chooser: Chooser) -> None:
    """The buckets are the host's own, then those with pictures, each once."""
    for n, bucket in enumerate(("zebra", "images", "zebra", "blog")):
        target = Target("local", bucket)
        app.journal.accept(Entry("0" * 64, image(n), "", target, "test"), State.QUEUED, "me")
    app.journal.accept(
        Entry("0" * 64, image(9), "", Target("bilibili", "other"), "test"), State.QUEUED, "me"
    )
    assert chooser.choices().buckets == ("images", "album", "blog", "zebra")


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        (Choice.HOST, "bilibili"),
        (Choice.BUCKET, "album"),
        (Choice.BUCKET, "not-known-before"),
        (Choice.FORMAT, "html"),
        (Choice.STYLE, "@800w_1e_1c.webp"),
        (Choice.STYLE, "@12w"),
    ],
)
def test_a_choice_counts_at_once_and_is_kept(
    app: App, chooser: Chooser, dirs: Dirs, choice: Choice, value: str
) -> None:
    """It is what the next picture gets, is among what is offered, and a restart finds it."""
    chooser.choose(choice, value)
    choices = chooser.choices()
    offered = (choices.hosts, choices.buckets, choices.formats, choices.styles)
    assert choices.chosen[choice] == value
    assert any(value in group for group in offered)
    assert value in (dirs.config / "config.json").read_text()
    order = app.checked_pipeline().order()
    link = app.config.link
    assert value in (order.target.host, order.target.bucket, order.format, link.style)


def test_each_host_keeps_its_own_bucket(chooser: Chooser, dirs: Dirs) -> None:
    """A bucket that is chosen at one host says nothing of another's."""
    chooser.choose(Choice.BUCKET, "album")
    chooser.choose(Choice.HOST, "bilibili")
    assert chooser.choices().chosen[Choice.BUCKET] == "openplatform"
    content = json.loads((dirs.config / "config.json").read_text())
    assert content == {"hosts": {"local": {"bucket": "album"}}, "host": "bilibili"}


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        (Choice.HOST, "imgur"),
        (Choice.BUCKET, "../up"),
        (Choice.FORMAT, "custom"),
        (Choice.FORMAT, "word"),
        (Choice.STYLE, "800"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    chooser: Chooser, dirs: Dirs, choice: Choice, value: str
) -> None:
    """A choice that the config would not take is refused, and the file stays as it was."""
    before = (dirs.config / "config.json").read_text()
    with pytest.raises(ConfigError):
        chooser.choose(choice, value)
    assert (dirs.config / "config.json").read_text() == before


def test_the_styles_on_offer_are_styles() -> None:
    """Each suffix that is offered by a name can be put behind a link."""
    for suffix in STYLES:
        check_style(suffix)

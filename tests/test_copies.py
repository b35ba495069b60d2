"""Copies of what others host: found by their links, kept, and not lost with the journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.keep.copies import Copies
from imghost.keep.journal import Journal
from imghost.keep.recovery import JournalFile
from imghost.keep.store import Store
from imghost.models import State
from tests.fakes.images import TARGET, entry, image

URL = "https://else.example/a.png"


class Kept:
    """A data folder with a journal in it."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root / "originals", root / "outgoing", root / "tmp")
        self._path = root / "journal.db"
        self.open()

    def open(self) -> None:
        """Open the journal as a starting process does."""
        self.file = JournalFile(self._path, self.store, TARGET)
        self.file.open(thorough=True)
        self.journal = Journal(self.file.db)
        self.copies = Copies(self.file.db, lambda: 1000.0)

    def copy(self, url: str, seed: int) -> str:
        """Keep a copy of what a link shows; its original."""
        original = image(seed).sha256
        self.store.keep(original, image(seed).data)
        self.copies.add(url, original)
        self.note(original)
        return original

    def note(self, original: str) -> None:
        """Write the slips of an original, as whoever changes something does."""
        self.store.write_slips(original, self.journal.slips)

    def lose(self) -> None:
        """Lose the journal, and start again."""
        self.file.close()
        for path in self._path.parent.glob("journal.db*"):
            path.unlink()
        self.open()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """An empty data folder."""
    made = Kept(tmp_path)
    yield made
    made.file.close()


def test_copies_are_found_by_their_links(kept: Kept) -> None:
    """Each link leads to its latest original, however many are asked for; others to none."""
    first = kept.copy(URL, 1)
    assert kept.copies.of([URL, "https://else.example/b.png", "\ud800"]) == {URL: first}
    second = kept.copy(URL, 2)
    many = [f"https://else.example/{n}.png" for n in range(1200)]
    for url in many[::400]:
        kept.copies.add(url, first)
    assert kept.copies.of([*many, URL]) == {URL: second, **dict.fromkeys(many[::400], first)}


def test_a_lost_journal_loses_no_copy(kept: Kept) -> None:
    """They come back from the slips beside the originals, as uploads do, and ask nothing."""
    original = kept.copy(URL, 1)
    record, _ = kept.journal.accept(entry(2), State.QUEUED, "")
    kept.copy("https://else.example/2.png", 2)
    kept.lose()
    assert kept.copies.of([URL]) == {URL: original}
    assert kept.copies.of(["https://else.example/2.png"]) == {
        "https://else.example/2.png": record.original
    }
    assert [row.state for row in kept.journal.history()] == [State.QUEUED]


@given(
    st.dictionaries(
        st.sampled_from(["url", "original", "kept_at"]),
        st.none() | st.booleans() | st.floats() | st.text(max_size=4) | st.binary().map(bytes.hex),
    )
)
def test_a_slip_of_another_making_is_no_copy(
    tmp_path_factory: pytest.TempPathFactory, slip: dict[str, object]
) -> None:
    """Whatever stands in a slip, the journal is made anew, and at worst the original asks."""
    kept = Kept(tmp_path_factory.mktemp("kept"))
    original = kept.copy(URL, 1)
    path = kept.store.path(original).with_suffix(".json")
    path.write_text(json.dumps([{"url": URL, "original": original, "kept_at": 1.0} | slip]))
    kept.lose()
    found = kept.copies.of([URL, str(slip.get("url"))])
    assert set(found.values()) <= {original}
    assert found or [row.state for row in kept.journal.history()] == [State.ASKING]
    kept.file.close()

"""Looking for uploads: every filter, alone and together, page by page, finds the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost.keep.database import Database
from imghost.keep.journal import Journal
from imghost.keep.rows import Rows
from imghost.keep.wanted import Wanted
from imghost.models import Record, State, Target
from tests.fakes.images import entry

NAMES = (
    "Sunset.png",
    "100%_of it.png",
    "100 of it.png",
    "back\\slash.png",
    "图片.png",
    "a_b",
    "aXb",
)
PLACES = (("local", "images"), ("local", "album"), ("bilibili", "live"))
ROWS = 42


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """Rows with every name at every place, a minute apart, in all states."""
    db = Database(Path(tmp_path_factory.mktemp("journal")) / "journal.db")
    now = [0.0]
    journal = Journal(db, lambda: now[0])
    for n in range(ROWS):
        now[0] = 1000.0 + 60 * n
        host, bucket = PLACES[n % len(PLACES)]
        record, _ = journal.accept(
            entry(n, target=Target(host, bucket)), [*State][n % len(State)], "me"
        )
        with db.changing() as changing:
            changing.execute(
                "UPDATE uploads SET name = ?, url = ? WHERE id = ?",
                (NAMES[n % len(NAMES)], f"http://127.0.0.1/{bucket}/{n}", record.id),
            )
    yield journal
    db.close()


def _fits(record: Record, wanted: Wanted) -> bool:
    told = [record.name.lower(), record.url.lower(), f"{record.host}/{record.bucket}"]
    return (
        all(any(word.lower() in text for text in told) for word in wanted.words)
        and record.created_at >= wanted.since
        and (not wanted.until or record.created_at < wanted.until)
        and wanted.host in ("", record.host)
        and wanted.bucket in ("", record.bucket)
        and wanted.state in (None, record.state)
    )


some = st.builds(
    Wanted,
    words=st.lists(
        st.sampled_from(
            ["sun", "PNG", "100%_", "a_b", "\\", "%", "图", "local/", "/album/1", "zzz"]
        ),
        max_size=2,
    ).map(tuple),
    since=st.sampled_from([0.0, 1000.0, 2200.0, 9999.0]),
    until=st.sampled_from([0.0, 1000.0, 2500.0, 9999.0]),
    host=st.sampled_from(["", "local", "bilibili", "s3"]),
    bucket=st.sampled_from(["", "images", "live"]),
    state=st.sampled_from([None, *State]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some, st.integers(1, 7))
def test_pages_hold_all_that_fits_and_nothing_else(
    journal: Journal, wanted: Wanted, limit: int
) -> None:
    """Walked to the end and back, the pages are the matching rows, the newest first."""
    expected = [record.id for record in journal.history() if _fits(record, wanted)]
    found: list[int] = []
    while page := journal.page(wanted, limit, before=found[-1] if found else 0):
        assert len(page) <= limit
        found += [record.id for record in page]
    assert found == expected
    assert journal.total(wanted) == len(expected)
    back: list[int] = expected[-1:]
    while page := journal.page(wanted, limit, after=back[0] if back else 0):
        if not back:
            break
        back = [record.id for record in page] + back
    assert back == expected


def test_counts_what_there_is_and_what_is_not_done(journal: Journal) -> None:
    """The total, and each state but done, agree with a count of everything."""
    counts = journal.counts()
    assert journal.total() == ROWS
    assert journal.unsettled() == {s: n for s, n in counts.items() if s is not State.DONE}


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(host="local", bucket="images"), "uploads_place"),
        (Wanted(state=State.FAILED), "uploads_unsettled"),
    ],
)
def test_what_is_rare_is_found_by_its_index(
    journal: Journal, wanted: Wanted, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place and a state that few rows have are not looked for among all rows."""
    asked: list[str] = []
    read = Database.read

    def noting(db: Database, sql: str, values: object = ()) -> object:
        plan = read(db, f"EXPLAIN QUERY PLAN {sql}", values)  # type: ignore[arg-type]  # as given
        asked.extend(row[3] for row in plan)
        return read(db, sql, values)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(Database, "read", noting)
    Rows.page(journal, wanted, 10)
    assert len(asked) == 1
    assert index in asked[0]

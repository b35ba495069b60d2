"""The log is private, bounded, and never a reason to fail."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from imghost.log import start_log


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A log that is begun in this folder, and ended after the test."""
    logger = logging.getLogger("imghost")
    former, logger.handlers = logger.handlers, []
    start_log(tmp_path / "logs", "debug")
    yield tmp_path / "logs"
    for handler in logger.handlers:
        handler.close()
    logger.handlers, logger.propagate = former, True
    logger.setLevel(logging.NOTSET)


def test_writes_privately_and_only_when_there_is_something(folder: Path) -> None:
    """No line, no file; then one that only the user can read."""
    assert not folder.exists()
    logging.getLogger("imghost.x").debug("a line with 图 and \udcff")
    (file,) = folder.iterdir()
    assert "a line with 图" in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def _fail(error: Exception) -> None:
    raise error


def test_what_hosts_say_steers_nothing(folder: Path) -> None:
    """A line is one line, whatever stands in it; so are those of a traceback."""
    said = "ok\r\n2026 ERROR forged \x1b[2J\u202e 图\x00"
    logger = logging.getLogger("imghost.x")
    logger.info("the connection broke: %s", said)
    for bug in (ValueError(said), OSError(2, said)):
        try:
            _fail(bug)
        except Exception:
            logger.exception("a bug")
    text = (folder / "imghost.log").read_bytes().decode()
    assert all(line.isprintable() for line in text.split("\n"))
    said_by_us = [line for line in text.split("\n") if line[:2] != "  "]
    assert [line.partition(": ")[2][:5] for line in said_by_us] == ["the c", "a bug", "a bug", ""]
    assert "  2026 ERROR forged" in text
    assert r"broke: ok\x0d\x0a2026 ERROR forged \x1b[2J\u202e 图\x00" in text


def test_is_bounded(folder: Path) -> None:
    """A log that grows for years is two files of a mebibyte each."""
    for n in range(3000):
        logging.getLogger("imghost.x").info("%d %s", n, "x" * 1000)
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) < 2.2 * (1 << 20)


def test_a_disk_that_refuses_is_borne(folder: Path) -> None:
    """If the log cannot be written, work goes on."""
    folder.write_text("a file where the folder should be")
    logging.getLogger("imghost.x").error("nobody reads this")


def test_is_begun_once(folder: Path) -> None:
    """Beginning it twice does not double its lines."""
    start_log(folder, "debug")
    logging.getLogger("imghost.x").error("once")
    assert (folder / "imghost.log").read_text().count("once") == 1

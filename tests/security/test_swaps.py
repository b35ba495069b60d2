"""Links and swaps in folders that strangers can write to: what a link leads to is never taken."""

from __future__ import annotations

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fakes import pictures
from tests.fakes.program import Program, eventually
from tests.fakes.serving import ask

SWAPS = 10_000
ASK_S = 0.05
REST_EACH = 1000
REST_S = 0.7  # long enough to be taken for a file that stands still
OURS, SECRET = pictures.png(seed=1), pictures.png(seed=999)


def _swap_files(place: Path, secret: Path, chance: random.Random) -> None:
    """A file, a link in its place, and so on, at one stroke each; at times it rests."""
    for number in range(SWAPS):
        other = place.with_name(".other")
        if number % 2:
            other.symlink_to(secret)
        else:
            other.write_bytes(OURS)
        other.replace(place)
        if number % REST_EACH == REST_EACH - 1 - chance.randrange(2):
            threading.Event().wait(REST_S)


def _swap_folders(place: Path, secret: Path, chance: random.Random) -> None:
    """A folder, a link to another folder in its place, and so on."""
    aside, link = place.with_name(".aside"), place.with_name(".link")
    link.symlink_to(secret.parent)
    for number in range(SWAPS // 2):
        place.rename(aside)
        link.rename(place)
        if number % REST_EACH == REST_EACH // 2:
            threading.Event().wait(chance.uniform(0, REST_S))
        place.rename(link)
        aside.rename(place)
        if number % REST_EACH == 0:
            (place / "a.png").write_bytes(pictures.png(seed=2 + number))
            threading.Event().wait(REST_S)


@pytest.mark.parametrize("swap", [_swap_files, _swap_folders])
def test_a_link_is_never_followed(home: Path, tmp_path: Path, swap: object) -> None:
    """Not by a watched folder, nor by the editors' door, in ten thousand swaps."""
    assert callable(swap)
    watched, private = home / "pictures", tmp_path / "private"
    (watched / "inner").mkdir(parents=True)
    private.mkdir()
    secret = private / "a.png"
    secret.write_bytes(SECRET)
    place = watched / ("a.png" if swap is _swap_files else "inner")
    asked = place if swap is _swap_files else place / "a.png"
    program = Program(home / "imghost")
    program.configure(watch={"folders": [str(watched)]})
    with program.watching("--no-clipboard", "--no-tray") as watching:
        port = urlsplit(program.door.url).port or 0
        with ThreadPoolExecutor(1, thread_name_prefix="swapper") as pool:
            swapping = pool.submit(swap, place, secret, random.Random(1))
            answers = 0
            while not swapping.done():
                if swap is _swap_files:  # of its parent folders links are the user's arrangement
                    body = json.dumps({"list": [str(asked)]}).encode()
                    told = json.loads(ask(port, "/upload", method="POST", body=body).body)
                    answers += bool(told["success"])
                threading.Event().wait(ASK_S)
            swapping.result()
        (watched / "last.png").write_bytes(pictures.png(seed=3))
        last = sha256(pictures.png(seed=3)).hexdigest()
        eventually(lambda: last in {path.name for path in program.originals})
        assert "Traceback" not in watching.said
    assert answers or swap is _swap_folders
    assert sha256(SECRET).hexdigest() not in {path.name for path in program.originals}
    assert len(program.originals) > 1

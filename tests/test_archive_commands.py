"""imghost export and import, as people run them: what they print, and what may happen meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest
from PIL import Image

from imghost import models
from imghost.errors import MachineError
from imghost.keep.journal import Entry
from imghost.models import State
from tests.fakes import bilibili, pictures
from tests.fakes.archives import FAR, machine
from tests.fakes.canaries import leaked
from tests.fakes.program import Program, eventually

ROOT = Path(__file__).parent.parent
LOW_MEMORY = 60_000_000
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


@pytest.fixture
def here(home: Path) -> Program:
    """The machine that exports."""
    return Program(home / "imghost")


@pytest.fixture
def there(home: Path) -> Program:
    """The machine that imports."""
    program = Program(home / "there" / "imghost")
    program.configure()
    return program


@pytest.fixture
def archive(here: Program, tmp_path: Path) -> Path:
    """What the one exported: three pictures, one of them with metadata taken out."""
    files = [tmp_path / f"{seed}.jpg" for seed in range(3)]
    for seed, file in enumerate(files):
        file.write_bytes(pictures.jpeg(seed=seed, comment=b"private" if seed == 2 else b""))
    assert here.run("upload", *files).code == 0
    path = tmp_path / "all.tar"
    assert here.run("export", path).code == 0
    return path


def test_counts_are_printed_and_told_as_json(here: Program, there: Program, archive: Path) -> None:
    """One line for people; the same as JSON; nothing is replaced unasked."""
    result = here.run("export", archive)
    assert (result.code, result.out) == (2, "")
    assert "--overwrite" in result.err
    exported = here.run("export", archive, "--overwrite", "--json").json
    assert exported == {
        "file": str(archive),
        "originals": 3,
        "uploads": 3,
        "copies": 0,
        "files": 3,
        "size_bytes": archive.stat().st_size,
        "left_out": [],
    }
    imported = there.run("import", archive)
    assert imported.code == 0
    assert imported.out.startswith(
        "3 originals, 3 uploads, 0 copies of others' pictures and 3 files"
    )
    assert there.run("import", archive, "--json").json == {
        "file": str(archive),
        **dict.fromkeys(("originals", "copies", "files", "uploads", "asking", "updated"), 0),
        "known": 3,
        "skips": 0,
        "skipped": [],
    }
    assert [row["name"] for row in there.history] == [row["name"] for row in here.history]


def test_nothing_can_be_taken_along_too(home: Path, there: Program, tmp_path: Path) -> None:
    """The archive of somebody who has no pictures yet is one, and brings none."""
    empty = Program(home / "empty" / "imghost")
    empty.configure()
    assert empty.run("export", tmp_path / "none.tar").code == 0
    assert there.run("import", tmp_path / "none.tar").code == 0
    assert there.history == []


def test_links_of_the_embedded_host_work_again(
    here: Program, there: Program, archive: Path
) -> None:
    """What its server showed there, it shows here, byte for byte."""
    assert there.run("import", archive).code == 0
    rows = here.history
    with there.serving() as url:
        for row in rows:
            path = row["url"].partition("/bfs/")[2]
            with urlopen(f"{url}/bfs/{path}") as reply:
                shown = reply.read()
            assert shown == (here.home / "data" / "local" / path).read_bytes()


def test_it_holds_no_secret(here: Program, archive: Path) -> None:
    """Neither cookies nor tokens nor the server's secret, though the config has them."""
    here.configure(
        hosts={"bilibili": {"sessdata": bilibili.SESSDATA, "bili_jct": bilibili.BILI_JCT}},
        server={"port": 0, "secret": "canary-of-the-server"},
    )
    with here.serving():
        door = json.loads((here.home / "state" / "door.json").read_bytes())
        assert here.run("export", archive, "--overwrite").code == 0
    secrets = (bilibili.SESSDATA, bilibili.BILI_JCT, "canary-of-the-server", door["token"])
    assert leaked(archive.read_bytes().decode("latin-1"), secrets) == []


def test_a_running_daemon_sends_nothing_of_it(
    here: Program, there: Program, tmp_path: Path
) -> None:
    """What waited there asks here, for as long as it takes; only consent sends it."""
    picture = tmp_path / "a.png"
    picture.write_bytes(pictures.png())
    cookies = {"IMGHOST_SESSDATA": bilibili.SESSDATA, "IMGHOST_BILI_JCT": bilibili.BILI_JCT}
    here.configure(hosts={"bilibili": {"api": "http://127.0.0.1:9"}})
    here.environ |= cookies
    assert here.run("upload", picture, "--host", "bilibili", "--wait", "0").code == 6
    archive = tmp_path / "all.tar"
    assert here.run("export", archive).code == 0
    with bilibili.FakeBilibili() as server:
        there.configure(hosts={"bilibili": {"api": server.url, "min_gap_s": 0}})
        there.environ |= cookies
        with there.serving():
            result = there.run("import", archive)
            assert result.code == 0
            assert "1 were not sent yet" in result.err
            assert there.run("upload", picture).code == 0  # the daemon has looked round since
            (row,) = (row for row in there.history if row["host"] == "bilibili")
            assert (row["state"], server.uploads) == ("asking", [])
            assert there.run("retry", str(row["id"])).code == 0
            eventually(lambda: there.status["counts"]["asking"] == 0)
            eventually(lambda: there.status["counts"]["done"] == 2)


def test_killed_in_the_middle_and_done_again(here: Program, there: Program, tmp_path: Path) -> None:
    """Whatever was reached, the second time has all of it, as if nothing had happened."""
    files = [tmp_path / f"{seed}.png" for seed in range(30)]
    for seed, file in enumerate(files):
        file.write_bytes(pictures.png(seed=seed))
    assert here.run("upload", *files).code == 0
    archive = tmp_path / "all.tar"
    assert here.run("export", archive).code == 0
    for reached in (1, 10, 20):
        with there.start("import", str(archive)) as process:
            eventually(partial(_has_come, there, reached, process))
            process.send_signal(signal.SIGKILL)
    result = there.run("import", archive, "--json")
    assert result.code == 0
    assert len(there.history) == len(there.originals) == 30
    assert {row["state"] for row in there.history} == {"done"}
    assert len([*(there.home / "data" / "local").glob("*/*")]) == 30
    assert [p for p in (there.home / "data" / "tmp").glob("*/*") if p.is_file()] == []


def _has_come(there: Program, reached: int, process: subprocess.Popen[bytes]) -> bool:
    return len(there.originals) >= reached or process.poll() is not None


@pytest.mark.parametrize("command", ["export", "import"])
def test_a_full_disk_is_told_and_costs_nothing(
    here: Program, there: Program, archive: Path, tmp_path: Path, command: str
) -> None:
    """It ends with 10 and no litter; with more room the same command does the rest."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody but root mount")
    full = there.home if command == "import" else tmp_path / "full"
    full.mkdir(exist_ok=True)
    if command == "export":
        (files := tmp_path / "noise.bmp").write_bytes(pictures.encoded(_noise(), "BMP"))
        assert here.run("upload", files).code == 0
    else:
        here.run("upload", _saved(tmp_path / "noise.png"))
        assert here.run("export", archive, "--overwrite").code == 0
    words = [command, str(full / "full.tar" if command == "export" else archive)]
    script = f"""
import subprocess, sys, os
def run(code):
    done = subprocess.run([sys.executable, "-m", "imghost", *{words!r}], capture_output=True)
    assert done.returncode == code, done
    return done.stderr
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", {str(full)!r}], check=True)
said = run({MachineError.exit_code})
assert b"disk is full" in said, said
parts = [os.path.join(f, n) for f, _, names in os.walk({str(full)!r}) for n in names]
assert not [p for p in parts if p.endswith(".part") or "/data/tmp/" in p], parts
subprocess.run(["mount", "-o", "remount,size=50m", {str(full)!r}], check=True)
run(0)
"""
    environ = os.environ | {"IMGHOST_HOME": str((there if command == "import" else here).home)}
    command_line = [*unshare, sys.executable, "-c", script]
    subprocess.run(command_line, check=True, cwd=ROOT, env=environ)


def _noise() -> Image.Image:
    return Image.effect_noise((700, 700), 90)


def _saved(path: Path) -> Path:
    path.write_bytes(pictures.encoded(_noise(), "PNG"))
    return path


def test_a_large_picture_takes_little_memory(here: Program, there: Program, tmp_path: Path) -> None:
    """Neither command holds a picture as a whole."""
    data = b"\x89PNG\r\n\x1a\n" + bytes(150_000_000)
    sha256 = hashlib.sha256(data).hexdigest()
    with machine(here.home / "data") as made:
        made.kept.store.keep(sha256, data)
        sent = models.Image(data, "png", 1, 1, 1, sha256, "big.png")
        made.kept.journal.accept(Entry(sha256, sent, "", FAR, "command"), State.ASKING, "")
    archive = tmp_path / "all.tar"
    for program, command in ((here, "export"), (there, "import")):
        program.prefix = (sys.executable, "-c", MEASURED)
        result = program.run(command, archive)
        assert result.code == 0
        assert int(result.err.split()[-1]) * 1024 < LOW_MEMORY
    assert [path.stat().st_size for path in there.originals] == [len(data)]

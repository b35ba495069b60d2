"""The commands, as people and scripts run them: what they print, where, and how they end."""

from __future__ import annotations

import base64
import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imghost.config import Config
from imghost.errors import ImghostError
from tests.fakes import bilibili, pictures
from tests.fakes.program import Program, eventually, path_of

README = Path(__file__).parent.parent / "README.md"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture with a name as people give them."""
    path = tmp_path / "截图 1 (副本).png"
    path.write_bytes(pictures.png())
    return path


@pytest.fixture
def fake(program: Program) -> Iterator[bilibili.FakeBilibili]:
    """A Bilibili on loopback, configured with the right cookies."""
    with bilibili.FakeBilibili() as server:
        program.configure(
            hosts={"bilibili": {"api": server.url, "min_gap_s": 0}}, server={"port": 0}
        )
        program.environ |= {
            "IMGHOST_SESSDATA": bilibili.SESSDATA,
            "IMGHOST_BILI_JCT": bilibili.BILI_JCT,
        }
        yield server


def test_a_picture_becomes_a_link_with_nothing_configured(program: Program, picture: Path) -> None:
    """The bare link on stdout; on stderr, once, who can open it; the file in its place."""
    result = program.run("upload", picture)
    assert result.code == 0
    (link,) = result.lines
    assert link.startswith("http://127.0.0.1:36677/bfs/images/")
    assert result.out == link + "\n"
    assert result.err.count("only on this computer") == 1
    assert (program.home / "data" / "local" / path_of(link).removeprefix("/bfs/")).read_bytes() == (
        picture.read_bytes()
    )
    assert [p.read_bytes() for p in program.originals] == [picture.read_bytes()]


def test_a_path_alone_uploads(program: Program, picture: Path) -> None:
    """`imghost PATH` is `imghost upload PATH`, also behind options, percent-encoded or relative."""
    link = program.run("upload", picture).out
    assert program.run(picture).out == link
    assert program.run("--quiet", picture).out == link
    assert program.run(str(picture).replace(" ", "%20")).out == link
    assert program.run(picture.name, cwd=picture.parent).out == link
    assert program.run("-", stdin=picture.read_bytes()).out == link


def test_lines_match_inputs(program: Program, picture: Path, tmp_path: Path) -> None:
    """One line per input, in order, empty where one failed, which is named on stderr; exit 9."""
    second = tmp_path / "b.png"
    second.write_bytes(pictures.png(seed=2))
    result = program.run("upload", picture, "missing.png", second)
    assert result.code == 9
    first_line, empty, last_line = result.out.split("\n")[:-1]
    assert first_line.startswith("http")
    assert empty == ""
    assert last_line.startswith("http")
    assert first_line != last_line
    assert "missing.png" in result.err


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("missing.png", None, 4, "no file"),
        (".", None, 4, "is a folder"),
        ("empty.png", b"", 5, "empty"),
        ("text.png", b"just some words, named as a picture", 5, "text"),
        ("cut.png", pictures.png()[:200], 5, "ends too early"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', 5, "SVG"),
        ("page.jpg", b"<!DOCTYPE html><html>", 5, "page"),
    ],
)
def test_bad_input_is_told_in_one_line(
    program: Program, tmp_path: Path, name: str, content: bytes | None, code: int, words: str
) -> None:
    """What is wrong and what to do, in one line; the table's exit code; nothing kept."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = program.run("upload", tmp_path / name)
    assert (result.code, result.out) == (code, "\n")
    assert len(result.err.splitlines()) == 1
    assert words in result.err
    assert "Traceback" not in result.err
    assert program.originals == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "imghost upload"),
        (("upload",), 4, "neither DISPLAY nor WAYLAND_DISPLAY is set"),
        (("pause",), 8, "no imghost is running"),
        (("pause", "x"), 2, "write a number of minutes"),
        (("pause", "0"), 2, "write a number of minutes"),
        (("resume", "1e999"), 2, "write a number of minutes"),
        (("putback",), 8, "imghost watch starts it"),
        (("autostart", "perhaps"), 2, "choose from"),
        (("upload", "x.png", "--stile", "@1w"), 2, "unknown: --stile"),
        (("upload", "x.png", "--wait", "soon"), 2, "--wait cannot be 'soon'"),
        (("upload", "x.png", "--config"), 2, "--config needs a value"),
        (("upload", "x.png", "--host", "flickr"), 3, "unknown host flickr; known are local"),
        (("upload", "x.png", "--bucket", "../etc"), 3, "../etc"),
        (("upload", "x.png", "--format", "markdwn"), 3, "markdown"),
        (("upload", "x.png", "--style", "@800x"), 3, "800x"),
        (("--config", "none.json", "upload", "x.png"), 3, "none.json"),
        (("retry", "77"), 2, "no upload with the id 77"),
        (("history", "rm"), 2, "name the ids"),
        (("history", "rm", "x"), 2, "x is no id"),
        (("stop",), 8, "nothing to stop"),
        (("upload", "https://example.com/a.png"), 4, "server.fetch_links"),
        (("upload", "http://["), 4, "server.fetch_links"),
        (("upload", "x.png", "--format", "custom"), 3, "link.template is empty"),
        (("upload", "x.png", "--wait", "-1"), 2, "--wait cannot be"),
        (("history", "rm", "99999999999999999999"), 2, "is no id"),
        (("history", "--since", "x"), 2, "write it as 30m, 1h or 7d"),
        (("history", "--since", "9" * 400 + "w"), 2, "write it as 30m, 1h or 7d"),
        (("config", "set", "hosts.bilibili", "{}"), 3, "is a section"),
    ],
)
def test_misuse_is_told(program: Program, words: tuple[str, ...], code: int, said: str) -> None:
    """A command line that makes no sense ends with its code and says what to do."""
    result = program.run(*words)
    assert result.code == code
    assert said in result.err + result.out
    assert "Traceback" not in result.err


@pytest.mark.parametrize("content", ["", '{"hots": 1}', '{"link": {"fromat": "html"}}', "{"])
def test_nothing_starts_on_a_bad_config(program: Program, picture: Path, content: str) -> None:
    """A wrong config is named with its path and nothing is accepted."""
    path = program.configure()
    path.write_text(content)
    for words in (("upload", str(picture)), ("serve",), ("status",), ("config", "check")):
        result = program.run(*words)
        assert result.code == 3
        assert str(path) in result.err
    assert program.originals == []


def test_json_has_the_documented_form(program: Program, picture: Path) -> None:
    """`upload --json` and `history --json` print lists of the same objects, `status --json` one."""
    keys = (
        "id name state reason host bucket url text sha256 width_px height_px size_bytes "
        "created_at alive notes"
    )
    (uploaded,) = program.run("upload", picture, "--json").json
    assert " ".join(uploaded) == keys
    assert (uploaded["state"], uploaded["width_px"]) == ("done", 64)
    (listed,) = program.run("history", "--json", "--format", "url").json
    assert listed == uploaded
    status = program.run("status", "--json")
    assert status.code == 8
    assert " ".join(status.json) == (
        "state paused pause_reason changes_at problem host bucket format style counts waiting "
        "last left_alone kept_bytes login missing autostart version"
    )
    assert status.json["counts"]["done"] == 1


def test_links_are_written_as_asked(program: Program, picture: Path) -> None:
    """Format and style of the command line win over the config's; @ means none."""
    program.configure(link={"format": "html", "style": "@400w"}, server={"port": 36677})
    bare = program.run("upload", picture, "--style", "@").out.strip()
    assert bare.endswith(".png")
    assert program.run("upload", picture).out.strip() == f"{bare}@400w"
    markdown = program.run("upload", picture, "--format", "markdown", "--style", "@.WEBP").out
    assert markdown == f"![截图 1 (副本)]({bare}@.webp)\n"
    html = program.run("history", "--format", "html").out
    assert 'referrerpolicy="no-referrer"' in html


def test_history_searches_and_forgets(program: Program, picture: Path, tmp_path: Path) -> None:
    """Words and times narrow it; rm takes the row, the original and the embedded host's file."""
    other = tmp_path / "other.png"
    other.write_bytes(pictures.png(seed=5))
    program.run("upload", picture, other)
    assert len(program.run("history").lines) == 2
    assert len(program.run("history", "截图").lines) == 1
    assert program.run("history", "nothing").out == ""
    assert len(program.run("history", "--since", "1h", "--limit", "1").lines) == 1
    (row,) = program.run("history", "other", "--json").json
    file = program.home / "data" / "local" / path_of(row["url"]).removeprefix("/bfs/")
    assert file.exists()
    assert program.run("history", "rm", row["id"]).code == 0
    assert not file.exists()
    assert [p.read_bytes() for p in program.originals] == [picture.read_bytes()]
    assert len(program.run("history").lines) == 1
    assert program.run("history", "rm", "--last").code == 0
    assert program.originals == []


def test_prune_asks_first(program: Program, picture: Path) -> None:
    """Count and size are shown; without a yes nothing goes; links and history stay."""
    program.run("upload", picture)
    assert program.run("prune", "--older-than", "1d").out.startswith("0 originals")
    refused = program.run("prune", "--older-than", "0s")
    assert refused.code == 2
    assert "can be deleted: 1," in refused.err
    assert len(program.originals) == 1
    assert program.run("prune", "--older-than", "0s", "--yes").code == 0
    assert program.originals == []
    (row,) = program.run("history", "--json").json
    assert row["state"] == "done"
    assert program.run("upload", picture).code == 0


def test_config_is_made_shown_and_changed(program: Program) -> None:
    """init, path, set, show and check; a secret is taken from stdin only and never shown."""
    path = program.run("config", "path").out.strip()
    assert not Path(path).exists()
    assert program.run("config", "init").code == 0
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert program.run("config", "init").code == 3
    assert program.run("config", "set", "link.format", "html").code == 0
    assert program.run("config", "set", "link.fromat", "html").code == 3
    on_line = program.run("config", "set", "hosts.bilibili.sessdata", "c4n4ry")
    assert on_line.code == 2
    assert "c4n4ry" not in on_line.err
    assert program.run("config", "set", "hosts.bilibili.sessdata", stdin=b"c4n4ry\n").code == 0
    shown = program.run("config", "show")
    assert shown.json["link"]["format"] == "html"
    assert "c4n4ry" not in shown.out
    assert "c4n4ry" in Path(path).read_text()
    assert program.run("config", "check").code == 0


@pytest.mark.parametrize(
    ("given", "alt"),
    [
        ('"a cat"', "a cat"),
        ("a cat", "a cat"),
        ('"', '"'),
        ("7", "7"),
        ("null", "null"),
        ('""', ""),
    ],
)
def test_a_text_may_be_given_as_json(program: Program, given: str, alt: str) -> None:
    """Quotes around all of it are JSON's, as they stand in the file; all else is as it is."""
    assert program.run("config", "set", "link.alt", given).code == 0
    assert program.run("config", "show").json["link"]["alt"] == alt


def test_config_edit_checks_what_the_editor_left(program: Program, tmp_path: Path) -> None:
    """The editor gets the file, and a mistake made in it is named at once."""
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\necho \'{"hots": 1}\' > "$1"\n')
    editor.chmod(0o755)
    program.environ["EDITOR"] = str(editor)
    result = program.run("config", "edit")
    assert result.code == 3
    assert "did you mean host" in result.err


def test_speaks_chinese(program: Program) -> None:
    """Help, mistakes and errors are said in the user's language."""
    program.environ["LC_ALL"] = "zh_CN.UTF-8"
    assert "上传" in program.run("--help").out
    assert "上传" in program.run("upload", "--help").out
    for words in (("upload", "--stile"), ("upload", "无.png"), ("stop",)):
        said = program.run(*words).err.removeprefix("imghost: ")
        assert any("\u4e00" <= c <= "\u9fff" for c in said.replace("无.png", ""))


def test_hostile_names_do_not_steer_the_terminal(program: Program, tmp_path: Path) -> None:
    """Escape sequences, newlines and bidirectional marks in names come out as text."""
    name = "a\x1b]52;c;eA==\x07\r\n\u202egnp.png"
    (tmp_path / name).write_bytes(pictures.png())
    program.run("upload", tmp_path / name)
    said = program.run("history").out + program.run("upload", tmp_path / (name + "x")).err
    assert not {"\x1b", "\r", "\u202e", "\x07"} & set(said)


def test_json_does_not_steer_the_terminal_either(program: Program, tmp_path: Path) -> None:
    """Control and bidirectional characters are escapes in JSON, whose value is the name itself."""
    name = "a\x9b2J\u202e\u200b\x7f图.png"
    (tmp_path / name).write_bytes(pictures.png())
    result = program.run("upload", tmp_path / name, "--json")
    assert not {"\x9b", "\u202e", "\u200b", "\x7f"} & set(result.out)
    assert result.json[0]["name"] == name
    assert "图" in result.out
    missing = program.run("upload", tmp_path / f"{name}x", "--json")
    assert not {"\x9b", "\u202e"} & set(missing.out)
    assert missing.json[0].keys() == result.json[0].keys()


def test_the_same_bytes_under_another_name_are_told_by_that(
    program: Program, picture: Path, tmp_path: Path
) -> None:
    """The link of a known picture is written with the name that it has now."""
    other = tmp_path / "second name.png"
    other.write_bytes(picture.read_bytes())
    program.run("upload", picture)
    assert program.run("upload", other, "--format", "markdown").out.startswith("![second name](")
    assert program.run("upload", other, "--json").json[0]["name"] == "second name.png"


def test_links_follow_the_address_of_the_server(program: Program, picture: Path) -> None:
    """After a public address was set, also old pictures get links that others can open."""
    program.run("upload", picture)
    address = "https://img.example.com"
    program.run("config", "set", "hosts.local.public_url", address)
    for words in (("upload", picture), ("history", "--format", "url")):
        assert program.run(*words).out.startswith(f"{address}/bfs/images/")
    assert "only on this computer" not in program.run("upload", picture).err
    refused = program.run("config", "set", "hosts.local.public_url", "http://a b")
    assert refused.code == 3


def test_without_a_port_a_picture_waits_for_the_server(program: Program, picture: Path) -> None:
    """With port 0 nobody knows the link yet: the picture is kept, and sent when a server runs."""
    program.configure(server={"port": 0})
    result = program.run("upload", picture)
    assert (result.code, result.out) == (6, "\n")
    assert "imghost serve" in result.err
    with program.serving() as url:
        eventually(lambda: program.run("status", "--json").json["counts"]["done"] == 1)
        assert program.run("upload", picture).out.startswith(url)


def test_options_may_stand_anywhere(program: Program, picture: Path, tmp_path: Path) -> None:
    """Inputs before and behind options are all taken."""
    other = tmp_path / "b.png"
    other.write_bytes(pictures.png(seed=3))
    assert len(program.run("upload", picture, "--quiet", other).lines) == 2


def test_a_full_output_is_told(program: Program, picture: Path) -> None:
    """If the link cannot be written the command says so; the picture is in the history."""
    with Path("/dev/full").open("wb") as full:
        result = program.run("upload", picture, stdout=full)
    assert result.code == 10
    assert "history" in result.err


def test_what_cannot_be_told_does_not_cost_the_link(program: Program, picture: Path) -> None:
    """Where notes go to a full disk, the command does its work, and its code tells how it went."""
    with Path("/dev/full").open("wb") as full:
        linked = program.run("upload", picture, stderr=full)
        failed = program.run("upload", picture.with_name("gone.png"), stderr=full)
    assert (linked.code, len(linked.lines)) == (0, 1)
    assert (failed.code, failed.lines) == (4, [""])


def test_a_closed_pipe_is_no_error(program: Program, picture: Path) -> None:
    """`imghost history | head` ends quietly."""
    program.run("upload", picture)
    reader, writer = os.pipe()
    os.close(reader)
    with program.start("history", stdout=writer) as process:
        os.close(writer)
        _, err = process.communicate()
    assert (process.returncode, err) == (0, b"")


# -- a host that fails


def test_uploads_to_bilibili(program: Program, picture: Path, fake: bilibili.FakeBilibili) -> None:
    """The picture arrives with the right cookies, bucket and name, and its link is https."""
    result = program.run("upload", "--host", "bilibili", "--bucket", "album", picture)
    assert result.code == 0
    assert "/bfs/album/" in result.out
    assert len(fake.uploads) == 1


def test_a_host_that_is_down_keeps_the_picture(
    program: Program, picture: Path, fake: bilibili.FakeBilibili
) -> None:
    """Exit 6 and words; the picture waits, and `retry` sends it when the host is back."""
    fake.answers.extend([bilibili.Answer(-500, "服务器错误")] * 3)
    result = program.run("upload", "--host", "bilibili", "--wait", "60", picture)
    assert (result.code, result.out) == (6, "\n")
    assert "kept" in result.err
    status = program.run("status", "--json").json
    assert status["counts"]["queued"] == 1
    assert "-500" in status["waiting"][0]["reason"]
    assert program.run("retry").code == 0
    (row,) = program.run("history", "--json").json
    assert row["state"] == "done"
    assert len(fake.uploads) == 4


def test_a_login_is_asked_for(program: Program, picture: Path, fake: bilibili.FakeBilibili) -> None:
    """Without the right cookies: exit 7, kept, one request; with them retry sends it."""
    program.environ["IMGHOST_SESSDATA"] = "wrong"
    result = program.run("upload", "--host", "bilibili", picture)
    assert result.code == 7
    assert len(fake.uploads) == 1
    program.environ["IMGHOST_SESSDATA"] = bilibili.SESSDATA
    assert program.run("retry").code == 0
    assert program.run("status", "--json").json["counts"]["done"] == 1


def test_a_setting_is_asked_for(program: Program, picture: Path) -> None:
    """What waits for a host that cannot be had is kept: exit 3, and it says what is missing."""
    section = {"endpoint": "http://127.0.0.1:9", "bucket": "pictures"}
    program.configure(hosts={"s3": section})
    assert program.run("upload", "--host", "s3", picture).code == 7  # there is no key
    program.configure(hosts={"s3": section | {"endpoint": ""}})
    result = program.run("retry")
    assert result.code == 3
    assert "1 still queued, 0 failed" in result.err
    assert "hosts.s3.endpoint is empty" in result.err


def test_a_refused_picture_is_kept_as_failed(
    program: Program, picture: Path, fake: bilibili.FakeBilibili
) -> None:
    """Exit 6, the reason in the history, and `retry ID` tries it again."""
    fake.answers.append(bilibili.Answer(-400, "请求错误"))
    assert program.run("upload", "--host", "bilibili", picture).code == 6
    (row,) = program.run("history", "--json").json
    assert row["state"] == "failed"
    assert "-400" in row["reason"]
    assert program.run("retry").code == 0
    assert program.run("retry", row["id"]).code == 0
    (row,) = program.run("history", "--json").json
    assert row["state"] == "done"


def test_what_fails_again_is_told(
    program: Program, tmp_path: Path, fake: bilibili.FakeBilibili
) -> None:
    """`retry ID` ends with the code of what it met, and names it; one of several is a 9."""
    (tmp_path / "a.png").write_bytes(pictures.png(seed=1))
    (tmp_path / "b.png").write_bytes(pictures.png(seed=2))
    fake.answers += [bilibili.Answer(-400, "请求错误")] * 3
    assert program.run("upload", "--host", "bilibili", *tmp_path.glob("?.png")).code == 9
    one, other = sorted(row["id"] for row in program.history)
    again = program.run("retry", str(one), str(one))
    assert (again.code, again.out) == (6, "")
    assert "-400" in again.err
    fake.answers.append(bilibili.Answer(-400, "请求错误"))
    assert program.run("retry", str(one), str(other)).code == 9
    assert sorted(row["state"] for row in program.history) == ["done", "failed"]
    for original in program.originals:
        original.unlink()
    (failed,) = (row["id"] for row in program.history if row["state"] == "failed")
    lost = program.run("retry", str(failed))
    assert (lost.code, lost.out) == (4, ""), lost.err


def test_secrets_stay_where_they_are(
    program: Program, picture: Path, fake: bilibili.FakeBilibili
) -> None:
    """No secret, in no usual encoding, in any output, log, journal or slip."""
    program.environ["IMGHOST_LOG"] = "debug"
    fake.answers.extend([bilibili.Answer(-101, "账号未登录"), bilibili.Answer(-400, "bad")])
    said = ""
    for words in (("upload", "--host", "bilibili", str(picture)), ("retry",), ("status", "--json")):
        result = program.run(*words)
        said += result.out + result.err
    with program.serving():
        said += program.run("status", "--json").out
    written = b"".join(p.read_bytes() for p in program.home.rglob("*") if p.is_file())
    for secret in (bilibili.SESSDATA, bilibili.BILI_JCT):
        for form in (
            secret,
            base64.b64encode(secret.encode()).decode(),
            secret.replace("%", "%25"),
        ):
            assert form not in said
            assert form.encode() not in written


# -- crashes, and several at once


def test_four_commands_at_once(program: Program, tmp_path: Path) -> None:
    """Commands started together on an empty home share one journal and all succeed."""
    paths = []
    for n in range(12):
        paths.append(tmp_path / f"{n}.png")
        paths[-1].write_bytes(pictures.png(seed=n))
    commands = [program.start("upload", *map(str, paths[3 * n : 3 * n + 3])) for n in range(4)]
    for command in commands:
        with command:
            out, err = command.communicate(timeout=60)
            assert command.returncode == 0, err.decode()
            assert len(out.splitlines()) == 3
    assert program.run("status", "--json").json["counts"]["done"] == 12


def test_a_killed_command_loses_nothing(
    program: Program, picture: Path, fake: bilibili.FakeBilibili
) -> None:
    """Killed while the host takes its time, the picture is kept and the next command sends it."""
    import threading

    arrived = threading.Event()
    fake.answers.append(bilibili.Answer(after=arrived))
    with program.start("upload", "--host", "bilibili", str(picture)) as process:
        eventually(lambda: bool(fake.uploads))
        process.kill()
    arrived.set()
    assert program.run("status", "--json").json["counts"]["queued"] == 1
    assert program.run("retry").code == 0
    assert program.run("status", "--json").json["counts"] == {
        "asking": 0,
        "queued": 0,
        "uploading": 0,
        "done": 1,
        "failed": 0,
    }
    assert list((program.home / "data" / "tmp").iterdir()) == []


def test_ctrl_c_ends_with_130(program: Program, picture: Path, fake: bilibili.FakeBilibili) -> None:
    """Interrupted, it says that what was accepted is kept, without a traceback."""
    import threading

    arrived = threading.Event()
    fake.answers.append(bilibili.Answer(after=arrived))
    with program.start("upload", "--host", "bilibili", str(picture)) as process:
        eventually(lambda: bool(fake.uploads))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    arrived.set()
    assert process.returncode == 130
    assert b"kept" in err
    assert b"Traceback" not in err


def test_ctrl_c_does_not_wait_for_the_host(
    program: Program, picture: Path, tmp_path: Path, fake: bilibili.FakeBilibili
) -> None:
    """Also with several pictures on their way it ends at once."""
    import threading

    other = tmp_path / "b.png"
    other.write_bytes(pictures.png(seed=11))
    arrived = threading.Event()
    fake.answers.extend([bilibili.Answer(after=arrived)] * 2)
    with program.start("upload", "--host", "bilibili", str(picture), str(other)) as process:
        eventually(lambda: len(fake.uploads) == 2)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert time.monotonic() - start < 5
    arrived.set()
    assert process.returncode == 130
    assert program.run("status", "--json").json["counts"]["queued"] == 2


@pytest.mark.skipif(os.name == "nt", reason="folders there have no such modes")
def test_a_read_only_home_accepts_nothing(program: Program, picture: Path) -> None:
    """Exit 10 and the folder's name."""
    program.home.mkdir()
    program.home.chmod(0o500)
    if os.geteuid() == 0:  # who else may write anywhere
        program.prefix = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")
    result = program.run("upload", picture)
    program.home.chmod(0o700)
    assert result.code == 10
    assert str(program.home) in result.err


def test_a_home_that_is_a_file_accepts_nothing(program: Program, picture: Path) -> None:
    """A disk that cannot be written to ends with 10, before anything was said to be accepted."""
    program.home.write_text("in the way")
    result = program.run("upload", picture)
    assert (result.code, result.out) == (10, "")
    assert "Traceback" not in result.err


def test_a_damaged_journal_is_made_anew(program: Program, picture: Path) -> None:
    """The history is still there after the journal was overwritten."""
    link = program.run("upload", picture).out
    journal = program.home / "data" / "journal.db"
    journal.write_bytes(b"no journal any more" * 999)
    listed = program.run("history", "--json", "--format", "url")
    (row,) = listed.json
    assert row["url"] + "\n" == link
    assert "1 uploads brought back" in listed.err
    assert program.run("upload", picture).out == link
    assert [p for p in journal.parent.iterdir() if ".damaged-" in p.name]


# -- through the running server


def test_a_running_server_does_the_work(program: Program, picture: Path, tmp_path: Path) -> None:
    """Commands give the same results by the server, and the links answer."""
    from urllib.request import urlopen

    program.configure()
    with program.serving() as url:
        result = program.run("upload", picture, "missing.png", "-", stdin=pictures.png(seed=3))
        assert result.code == 9
        first, empty, last = result.out.split("\n")[:-1]
        assert first.startswith(f"{url}/bfs/images/")
        assert empty == ""
        assert "only on this computer" not in result.err
        with urlopen(first) as answer:
            assert answer.read() == picture.read_bytes()
        with urlopen(f"{last}@32w.webp") as answer:
            assert answer.headers["Content-Type"] == "image/webp"
        status = program.run("status", "--json")
        assert (status.code, status.json["state"]) == (0, "serving")
        assert program.run("upload", "--format", "markdwn", picture).code == 3
        assert program.run("retry").code == 0
        assert program.run("retry", "99").code == 2
        assert program.run("serve").code == 8
        other = tmp_path / "other.json"
        other.write_text('{"link": {"style": "@1w"}, "server": {"port": 36677}}')
        own = program.run("--config", other, "upload", picture)
        assert own.out.endswith("@1w\n")


def test_the_port_in_use_is_told(program: Program, home: Path) -> None:
    """A second user's server, or any program, on the port: exit 8 and the setting to change."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        program.configure(server={"port": taken.getsockname()[1]})
        result = program.run("serve")
    assert result.code == 8
    assert "server.port" in result.err


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "stop"])
def test_the_server_ends_in_order(program: Program, how: str) -> None:
    """A signal or `imghost stop` ends it with 0, its lock and door gone."""
    program.configure()
    with program.start("serve", stdin=subprocess.DEVNULL) as server:
        assert server.stderr
        server.stderr.readline()
        if how == "stop":
            assert program.run("stop").code == 0
        else:
            server.send_signal(getattr(signal, how))
        assert server.wait(20) == 0
    assert not (program.home / "state" / "door.json").exists()
    assert list((program.home / "state" / "run").iterdir()) == []


def test_a_killed_server_is_followed_by_another(program: Program, picture: Path) -> None:
    """What a killed server left behind neither blocks the next one nor misleads a command."""
    program.configure()
    with program.start("serve", stdin=subprocess.DEVNULL) as server:
        assert server.stderr
        server.stderr.readline()
        server.kill()
    assert (program.home / "state" / "door.json").exists()
    assert program.run("status").code == 8
    with program.serving():
        assert program.run("upload", picture).code == 0


def test_the_server_sends_what_waits(
    program: Program, picture: Path, fake: bilibili.FakeBilibili
) -> None:
    """What a command had to leave is sent once a server runs, and its link is looked at."""
    fake.answers.extend([bilibili.Answer(-500, "服务器错误")] * 3)
    assert program.run("upload", "--host", "bilibili", picture).code == 6
    with program.serving():
        eventually(lambda: program.run("status", "--json").json["counts"]["done"] == 1)


def test_exit_codes_are_those_of_the_readme() -> None:
    """The README's table of exit codes is the one on the error classes."""
    import imghost.errors

    classes = [c for c in vars(imghost.errors).values() if isinstance(c, type)]
    codes = {c.exit_code for c in classes if issubclass(c, ImghostError)} | {0}
    table = README.read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    told = {
        int(row.split("|")[1])
        for row in table.splitlines()
        if row.startswith("| ") and row[2].isdigit()
    }
    assert told == codes


def test_the_readme_names_every_setting() -> None:
    """Each key of the config is explained."""
    text = README.read_text(encoding="utf-8")
    content = json.loads((README.parent / "config_example.json").read_text(encoding="utf-8"))
    assert Config().host in text
    for section, value in content.items():
        names = value if isinstance(value, dict) and section != "hosts" else {}
        for key in names:
            assert f"{section}.{key}" in text, f"{section}.{key}"


def test_autostart_of_another_home(program: Program, home: Path) -> None:
    """What is started with the session works in the same home, and the status tells that it is."""
    (home / "config").mkdir()
    program.environ["XDG_CONFIG_HOME"] = str(home / "config")
    assert "starts with your session" not in program.run("status").out
    assert program.run("autostart", "on").code == 0
    entry = (home / "config" / "autostart" / "imghost.desktop").read_text()
    assert f"Exec=env IMGHOST_HOME={program.home} " in entry
    assert "it starts with your session" in program.run("status").lines
    assert program.run("autostart", "off").code == 0
    assert program.run("status", "--json").json["autostart"] is False


def test_copy_means_watch(program: Program) -> None:
    """Also with what `imghost watch` takes besides."""
    result = program.run("-copy", "--no-clipboard", "--odd")
    assert (result.code, result.err) == (
        2,
        "imghost: unknown: --odd; see imghost watch --help\n",
    )

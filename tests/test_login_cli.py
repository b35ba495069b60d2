"""imghost login and logout as people run them, in a terminal and without one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.fakes import faults, pictures
from tests.fakes.bilibili import BILI_JCT, SESSDATA, Answer, FakeBilibili, settings
from tests.fakes.bilibili_login import GENERATE, NAME, POLL, FakeLogin, address_of, session
from tests.fakes.canaries import leaked
from tests.fakes.faults import FaultServer
from tests.fakes.program import Program, eventually
from tests.fakes.terminal import terminal
from tests.test_transport import server_tls

WARNINGS = ("not an official API", "cannot delete", "died before", "not abuse", "no-referrer")


@pytest.fixture
def program(home: Path) -> Program:
    """The program; its log tells all that it can."""
    return Program(home / "imghost", {"IMGHOST_LOG": "debug"})


@pytest.fixture
def fake(program: Program) -> Iterator[FakeBilibili]:
    """A Bilibili on loopback, at which nobody is logged in."""
    with FakeBilibili() as server:
        sections = settings(server)
        sections["hosts"]["bilibili"] |= {"sessdata": "", "bili_jct": ""}
        program.configure(hosts=sections["hosts"])
        yield server


def confirm(login: FakeLogin) -> None:
    """Somebody confirms each code at once."""
    for key, state in login.states.items():
        if state == 86101:
            login.states[key] = 0


def kept(program: Program) -> dict[str, str] | None:
    """The login that is kept."""
    path = program.home / "state" / "login.json"
    return dict(json.loads(path.read_text())) if path.exists() else None


def configured(program: Program) -> dict[str, object]:
    """The config file."""
    return dict(json.loads((program.home / "config" / "config.json").read_text()))


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals there")
class TestTerminal:
    """Somebody at a terminal of 80x24."""

    def test_a_code_is_scanned_confirmed_and_used(
        self, program: Program, fake: FakeBilibili
    ) -> None:
        """Each state is told below the code; then the name, five warnings, and the question."""
        with terminal(program, "login") as it:
            it.until("not scanned yet · 2:5")
            code = it.text.partition("not scanned yet")[0].split("\n")
            assert len([line for line in code if "▀" in line or not line.strip()]) <= 24
            fake.login.scan()
            it.until("scanned: confirm it on your phone")
            fake.login.confirm()
            it.until(f"logged in to Bilibili as {NAME}")
            it.until("180 days")
            it.until("[y/N]")
            assert all(warning in it.text for warning in WARNINGS)
            it.type("y\n")
            assert it.ended() == 0
            it.until("new pictures go to Bilibili")
            assert leaked(it.shown, fake.login.secrets) == []
        assert configured(program)["host"] == "bilibili"
        assert kept(program)
        assert program.run("upload", _picture(program)).code == 0

    def test_no_is_no(self, program: Program, fake: FakeBilibili) -> None:
        """Whoever does not say yes is logged in, and nothing else changes."""
        fake.login.behave = confirm
        with terminal(program, "login") as it:
            it.until("[y/N]")
            it.type("\n")
            assert it.ended() == 0
        assert kept(program)
        assert "host" not in configured(program)

    def test_an_expired_code_is_followed_by_another(
        self, program: Program, fake: FakeBilibili
    ) -> None:
        """A new one is drawn, twice; then it ends with the code that asks for a login."""
        fake.login.behave = FakeLogin.expire
        with terminal(program, "login") as it:
            assert it.ended() == 7
            it.until("nobody scanned 3 codes")
            assert it.text.count("the code has expired") == 3
        assert (fake.login.count(GENERATE), fake.login.count(POLL)) == (3, 3)
        assert kept(program) is None

    def test_a_server_in_trouble_is_asked_again(self, program: Program, fake: FakeBilibili) -> None:
        """Below the code, in few words; then it goes on where it was."""
        with terminal(program, "login") as it:
            it.until("not scanned yet")
            fake.login.answers.append(Answer(-500, "服务器错误" * 20))
            it.until("no answer; asking again")
            fake.login.behave = confirm
            it.until("[y/N]")

    def test_ctrl_c_ends_it(self, program: Program, fake: FakeBilibili) -> None:
        """At once, and nothing was kept."""
        with terminal(program, "login") as it:
            it.until("not scanned yet")
            it.process.send_signal(signal.SIGINT)
            assert it.ended() == 130
        assert kept(program) is None

    @pytest.mark.parametrize(("columns", "rows"), [(40, 24), (80, 20)])
    def test_a_small_window_gets_the_address(
        self, program: Program, fake: FakeBilibili, columns: int, rows: int
    ) -> None:
        """Instead of half a code; and is told to be made larger."""
        with terminal(program, "login", columns=columns, rows=rows) as it:
            it.until("not scanned yet")
            assert "too small" in it.text
            assert address_of(fake.login.keys[0]) in it.text
            assert "▀" not in it.text

    def test_a_long_line_of_cookies_is_pasted_unseen(
        self, program: Program, fake: FakeBilibili
    ) -> None:
        """Longer than a terminal's own line; erased by hand where it was wrong; never shown."""
        one = session(1)
        fake.login.sessions.append(one)
        other = "; ".join(f"other{n}={'x' * 90}" for n in range(100))
        line = f"Cookie: {other}; SESSDATA={one.sessdata}; bili_jct={one.bili_jct}z\x7f"
        assert len(line) > 4096
        with terminal(program, "login", "--cookies") as it:
            it.until("not shown")
            it.type(line)
            it.type("\n")
            it.until(f"logged in to Bilibili as {NAME}")
            it.until("[y/N]")
            it.type("n\n")
            assert it.ended() == 0
            assert "xxx" not in it.text
            assert leaked(it.shown, fake.login.secrets) == []
        login = kept(program)
        assert login
        assert (login["sessdata"], login["bili_jct"]) == (one.sessdata, one.bili_jct)

    def test_what_is_too_long_is_read_to_its_end_and_shown_nowhere(self, program: Program) -> None:
        """Nothing of it spills onto the screen, or into what is typed next."""
        with terminal(program, "login", "--cookies") as it:
            it.until("(not shown):")
            it.type("SESSDATA=spilled; " * 12_000 + "\n")
            assert it.ended() == 2
        assert "longer than 65536 characters" in it.text
        assert "spilled" not in it.shown

    @pytest.mark.parametrize("end", ["\x04", "\n"])
    def test_no_cookies_change_nothing(
        self, program: Program, fake: FakeBilibili, end: str
    ) -> None:
        """The end of the input, or an empty line, is told as what it is; nobody is asked."""
        with terminal(program, "login", "--cookies") as it:
            it.until("not shown")
            it.type(end)
            assert it.ended() == (2 if end == "\x04" else 7)
        assert fake.login.asked == []
        assert kept(program) is None

    def test_a_secret_of_the_config_is_asked_for_unseen(
        self, program: Program, fake: FakeBilibili
    ) -> None:
        """In the same way; the end of the input leaves it as it was."""
        key = "hosts.bilibili.sessdata"
        for typed, code in (("cafe%2C1\n", 0), ("\x04", 2)):
            with terminal(program, "config", "set", key) as it:
                it.until("not shown")
                it.type(typed)
                assert it.ended() == code
                assert "cafe" not in it.text
        assert configured(program)["hosts"]["bilibili"]["sessdata"] == "cafe%2C1"  # type: ignore[index]


class TestNoTerminal:
    """Scripts, and windows without a terminal."""

    def test_the_address_is_told_and_each_state_once(
        self, program: Program, fake: FakeBilibili
    ) -> None:
        """Nothing is drawn or asked, results stay free for others, and the rest is said."""

        def behave(login: FakeLogin) -> None:
            looks = login.count(POLL)
            if looks == 2:
                login.scan()
            elif looks == 3:
                login.confirm()

        fake.login.behave = behave
        result = program.run("login")
        assert result.code == 0
        assert result.out == ""
        assert address_of("0000000000000000c0de5eed00000000") in result.err
        assert result.err.count("not scanned yet") == result.err.count("confirm it") == 1
        assert not {"▀", "\x1b", "\r"} & set(result.err)
        assert all(warning in result.err for warning in WARNINGS)
        assert "imghost config set host bilibili" in result.err
        assert "host" not in configured(program)

    def test_cookies_come_from_standard_input(self, program: Program, fake: FakeBilibili) -> None:
        """A line that is good is kept; one that is over exits as a login does, and is not."""
        one = session(1)
        line = f"SESSDATA={one.sessdata}; bili_jct={one.bili_jct}\n".encode()
        assert program.run("login", "--cookies", stdin=line).code == 7
        assert kept(program) is None
        fake.login.sessions.append(one)
        assert program.run("login", "--cookies", stdin=line).code == 0
        assert kept(program)
        endless = program.run("login", "--cookies", stdin=b"SESSDATA=canary; " * 5000)
        assert endless.code == 2
        assert "longer than 65536 characters" in endless.err
        on_line = program.run("login", "--cookies", "SESSDATA=canary")
        assert on_line.code == 2

    def test_a_login_takes_the_place_of_the_config_s_cookies(
        self, program: Program, fake: FakeBilibili
    ) -> None:
        """They are emptied there, and that is said; logging out forgets what is left."""
        program.configure(**settings(fake))
        fake.login.behave = confirm
        result = program.run("login")
        assert "emptied" in result.err
        assert all(warning not in result.err for warning in WARNINGS)  # it is used already
        own = configured(program)["hosts"]["bilibili"]  # type: ignore[index]
        assert (own["sessdata"], own["bili_jct"]) == ("", "")
        login = program.run("status", "--json").json["login"]
        assert (login["name"], login["days_left"], login["from"]) == (NAME, 180, "login")
        assert f"logged in to bilibili ({NAME}), 180 days left" in program.run("status").out
        assert "security settings" in program.run("logout").err
        assert kept(program) is None
        status = program.run("status", "--json").json["login"]
        assert (status["from"], status["wanted"], status["days_left"]) == ("", "bilibili", None)
        assert "imghost login" in program.run("status").out

    def test_nobody_answers(self, program: Program, fake: FakeBilibili) -> None:
        """It is told what is wrong, and exits as for any host that is away."""
        fake.close()
        result = program.run("login")
        assert result.code == 6
        assert "not listening" in result.err

    def test_a_bad_certificate_learns_nothing(self, program: Program) -> None:
        """No code is asked for, and no cookie is shown, where a name is not proven."""
        with FaultServer(faults.answering(b""), server_tls(trustme.CA())) as server:
            here = f"https://{server.address}"
            program.configure(hosts={"bilibili": {"api": here, "passport": here}})
            line = f"SESSDATA={SESSDATA}; bili_jct={BILI_JCT}\n".encode()
            assert program.run("login").code == 6
            assert program.run("login", "--cookies", stdin=line).code == 6
            assert b"".join(peer.received for peer in server.peers) == b""
        assert kept(program) is None


class TestSecrets:
    """What must be seen nowhere."""

    def test_they_stand_in_the_logins_file_alone(
        self, program: Program, fake: FakeBilibili
    ) -> None:
        """Not in any output, log, other file or process list, through a login, its use, its end."""
        fake.login.behave = confirm
        program.configure(**settings(fake))
        with program.start("login") as process:
            eventually(lambda: bool(fake.login.keys))
            listed = _process_list(process.pid)
            out, err = process.communicate(timeout=20)
        said = out.decode() + err.decode()
        said = said.replace(address_of(fake.login.keys[0]), "")  # which is told on purpose
        for words in (
            *(("upload", _picture(program)), ("status", "--json"), ("config", "show")),
            *(("history", "--json"), ("logout",), ("upload", _picture(program, 2))),
        ):
            if words[0] == "logout":
                files = [p for p in program.home.rglob("*") if p.is_file()]
                written = {p.name for p in files if _holds(p, fake.login.secrets)}
                assert written == {"login.json"}
            result = program.run(*words)
            said += result.out + result.err
        files = [p for p in program.home.rglob("*") if p.is_file()]
        assert not [p for p in files if _holds(p, fake.login.secrets)]
        assert leaked(said + listed, [*fake.login.secrets, SESSDATA, BILI_JCT]) == []
        assert len(fake.uploads) == 1

    def test_two_that_log_in_at_once(self, program: Program, fake: FakeBilibili) -> None:
        """Each has its own code, both end well, and one login is kept, whole."""
        fake.login.behave = confirm
        started = [program.start("login") for _ in range(2)]
        ended = [process.communicate(timeout=30) for process in started]
        assert [process.returncode for process in started] == [0, 0], ended
        assert len(fake.login.sessions) == 2
        login = kept(program)
        assert login
        assert (login["sessdata"], login["bili_jct"]) in {
            (it.sessdata, it.bili_jct) for it in fake.login.sessions
        }


def _picture(program: Program, seed: int = 1) -> str:
    path = program.home.parent / f"{seed}.png"
    path.write_bytes(pictures.png(seed=seed))
    return str(path)


def _process_list(pid: int) -> str:
    command = ["ps", "-o", "args=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _holds(path: Path, secrets: list[str]) -> bool:
    return bool(leaked(path.read_bytes().decode("latin-1"), secrets))

"""Logging in: what is kept and emptied, who is asked again, and what logging out does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.errors import HostUnavailable, LoginExpired
from imghost.hosts.bilibili_login import Scan
from imghost.logging_in import POLL_S, LoggingIn, log_out
from imghost.login import LoginFile
from imghost.secret import Secret
from imghost.transport import Http
from tests.fakes.bilibili import Answer, FakeBilibili, settings
from tests.fakes.bilibili_login import GENERATE, MID, NAME, NAV, POLL, session
from tests.fakes.taking import write_config


@pytest.fixture
def fake() -> Iterator[FakeBilibili]:
    """A fake Bilibili."""
    with FakeBilibili() as fake:
        yield fake


@pytest.fixture
def logins(dirs: Dirs) -> LoginFile:
    """Where the login is kept."""
    return LoginFile(dirs.login)


@pytest.fixture
def file(dirs: Dirs, fake: FakeBilibili) -> ConfigFile:
    """A config with cookies in it."""
    return write_config(dirs, settings(fake))


def begun(file: ConfigFile, logins: LoginFile) -> LoggingIn:
    """A login that begins."""
    return LoggingIn(file, logins, file.load(), Http(timeout_s=2))


class TestByCode:
    """A code that is scanned."""

    def test_the_login_is_kept_and_the_config_emptied(
        self, fake: FakeBilibili, file: ConfigFile, logins: LoginFile
    ) -> None:
        """With its name; the person is told what became of the former cookies."""
        logging_in = begun(file, logins)
        code = logging_in.new_code()
        assert logging_in.poll(code).scan is Scan.WAITING
        assert logins.load() is None
        fake.login.confirm()
        progress = logging_in.poll(code)
        assert progress.scan is Scan.DONE
        assert progress.login == logins.load()
        assert progress.login
        assert (progress.login.name, progress.login.mid) == (NAME, MID)
        (note,) = map(str, progress.notes)
        assert str(file.path) in note
        own = json.loads(file.path.read_text())["hosts"]["bilibili"]
        assert (own["sessdata"], own["bili_jct"]) == ("", "")
        assert file.load().of_host("bilibili").sessdata.reveal() == session(1).sessdata

    @pytest.mark.parametrize("answer", [Answer(-500, "?"), Answer(-403, "?"), Answer(cut="reply")])
    def test_a_login_without_a_name_is_kept_too(
        self, fake: FakeBilibili, file: ConfigFile, logins: LoginFile, answer: Answer
    ) -> None:
        """The code works once: whatever keeps the name away, the cookies are not thrown away."""
        logging_in = begun(file, logins)
        code = logging_in.new_code()

        def confirm_then_fail(login: object) -> None:
            fake.login.confirm()
            fake.login.answers.append(answer)

        fake.login.behave = confirm_then_fail
        login = logging_in.poll(code).login
        assert login
        assert (login.name, login.mid) == ("", MID)
        assert logins.load() == login

    def test_the_environment_counts_before_it(
        self, fake: FakeBilibili, file: ConfigFile, logins: LoginFile
    ) -> None:
        """Then the person is told so."""
        file = ConfigFile(file.path, {"IMGHOST_SESSDATA": "abc"}, logins)
        logging_in = begun(file, logins)
        code = logging_in.new_code()
        fake.login.confirm()
        notes = [str(note) for note in logging_in.poll(code).notes]
        assert any("IMGHOST_SESSDATA" in note for note in notes)


class TestPatience:
    """Who does not answer while a code is followed."""

    def test_it_is_asked_again_later_and_later(
        self, fake: FakeBilibili, file: ConfigFile, logins: LoginFile
    ) -> None:
        """Three times in a row, with the reason told; then it is an error."""
        logging_in = begun(file, logins)
        code = logging_in.new_code()
        fake.login.scan()
        assert logging_in.poll(code).scan is Scan.SCANNED
        fake.login.answers.extend([Answer(-500, "服务器错误")] * 4)
        for n in (1, 2, 3):
            progress = logging_in.poll(code)
            assert (progress.scan, progress.rest_s) == (Scan.SCANNED, POLL_S * 2**n)
            assert "服务器错误" in str(progress.problem)
        with pytest.raises(HostUnavailable):
            logging_in.poll(code)

    def test_an_answer_makes_it_well_again(
        self, fake: FakeBilibili, file: ConfigFile, logins: LoginFile
    ) -> None:
        """Failures count in a row only, and from one code to the next not at all."""
        logging_in = begun(file, logins)
        code = logging_in.new_code()
        for _ in range(3):
            fake.login.answers.extend([Answer(status=502)] * 3)
            assert [logging_in.poll(code).problem is None for _ in range(4)] == [*[False] * 3, True]
        fake.login.answers.extend([Answer(status=502)] * 3)
        assert all(logging_in.poll(code).problem for _ in range(3))
        fresh = logging_in.new_code()
        fake.login.answers.append(Answer(status=502))
        assert logging_in.poll(fresh).scan is Scan.WAITING

    def test_a_wish_for_peace_is_heeded(
        self, fake: FakeBilibili, file: ConfigFile, logins: LoginFile
    ) -> None:
        """So long as the code lives; longer than that, and for risk control, it ends at once."""
        logging_in = begun(file, logins)
        code = logging_in.new_code()
        fake.login.answers.append(Answer(status=429, headers={"Retry-After": "20"}))
        assert logging_in.poll(code).rest_s == 20
        for answer in (Answer(status=429, headers={"Retry-After": "900"}), Answer(-412, "风控")):
            fake.login.answers.append(answer)
            with pytest.raises(HostUnavailable):
                logging_in.poll(code)


class TestByCookies:
    """A line that was copied from a browser."""

    def test_a_good_line_is_kept(
        self, fake: FakeBilibili, file: ConfigFile, logins: LoginFile
    ) -> None:
        """After Bilibili said whose it is; nothing else is asked."""
        one = session(1)
        fake.login.sessions.append(one)
        line = Secret(f"Cookie: a=b; SESSDATA={one.sessdata}; bili_jct={one.bili_jct}")
        login = begun(file, logins).take(line).login
        assert login == logins.load()
        assert login
        assert login.name == NAME
        assert fake.login.asked == [NAV]

    def test_others_are_not(self, fake: FakeBilibili, file: ConfigFile, logins: LoginFile) -> None:
        """Cookies that are over, or cannot be asked about, change nothing."""
        line = Secret("SESSDATA=old; bili_jct=old")
        with pytest.raises(LoginExpired):
            begun(file, logins).take(line)
        fake.login.answers.append(Answer(-500, "?"))
        with pytest.raises(HostUnavailable):
            begun(file, logins).take(line)
        assert logins.load() is None
        assert json.loads(file.path.read_text()) == settings(fake)


class TestLoggingOut:
    """Forgetting it."""

    def test_it_is_forgotten_wherever_it_stood(
        self, fake: FakeBilibili, file: ConfigFile, logins: LoginFile
    ) -> None:
        """In its file and in the config; what cannot be undone is told; nobody is asked."""
        logging_in = begun(file, logins)
        code = logging_in.new_code()
        fake.login.confirm()
        logging_in.poll(code)
        (told,) = map(str, log_out(file, logins))
        assert "security settings" in told
        assert not file.load().of_host("bilibili").sessdata
        (told,) = map(str, log_out(file, logins))
        assert "no login" in told
        assert fake.login.asked == [GENERATE, POLL, NAV]

    def test_cookies_in_the_config_are_forgotten_too(
        self, fake: FakeBilibili, file: ConfigFile, logins: LoginFile
    ) -> None:
        """Those in the environment are not ours to forget."""
        file = ConfigFile(file.path, {"IMGHOST_SESSDATA": "abc"}, logins)
        first, second = map(str, log_out(file, logins))
        assert "logged out" in first
        assert "IMGHOST_SESSDATA" in second
        assert not file.load().of_host("bilibili").bili_jct

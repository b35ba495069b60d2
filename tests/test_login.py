"""The login's file: kept for its user alone, whole or absent, and counting after all others."""

from __future__ import annotations

import json
import math
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost import config_file
from imghost.account import Account, account_of, days_left, time_left
from imghost.config_file import ConfigFile
from imghost.dirs import Dirs
from imghost.errors import ConfigError
from imghost.login import Login, LoginFile
from imghost.secret import Secret
from imghost.text import Speaker
from tests.fakes.bilibili import BILI_JCT, SESSDATA
from tests.fakes.canaries import leaked
from tests.fakes.taking import write_config

NOW = 1_800_000_000.0
DAY_S = 86_400.0
KEPT = Login(Secret("kept%2C1%2C*"), Secret("kept-jct"), NOW, "Ming \x1b[2J", "42")
OF_CONFIG = {"sessdata": SESSDATA, "bili_jct": BILI_JCT}


@pytest.fixture
def logins(dirs: Dirs) -> LoginFile:
    """A place for a login, with none."""
    return LoginFile(dirs.login)


@pytest.fixture
def umask() -> Iterator[None]:
    """Files and folders are everybody's unless it is said otherwise."""
    former = os.umask(0)
    yield
    os.umask(former)


class TestKeeping:
    """The file itself."""

    @pytest.mark.parametrize("ends_at", [NOW, math.inf])
    def test_it_comes_back_as_it_was(self, logins: LoginFile, ends_at: float) -> None:
        """All of it, and None before and after."""
        assert logins.load() is None
        logins.save(replace(KEPT, ends_at=ends_at))
        assert logins.load() == replace(KEPT, ends_at=ends_at)
        assert logins.forget()
        assert logins.load() is None
        assert not logins.forget()

    @pytest.mark.skipif(sys.platform == "win32", reason="no modes there")
    def test_it_is_its_users_alone(self, umask: None, logins: LoginFile) -> None:
        """Whatever the umask is, also where the folders are new, and when it is replaced."""
        for _ in range(2):
            logins.save(KEPT)
            assert stat.S_IMODE(logins.path.stat().st_mode) == 0o600
            assert stat.S_IMODE(logins.path.parent.stat().st_mode) == 0o700
        assert [*logins.path.parent.iterdir()] == [logins.path]

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.binary()
        | st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.fixed_dictionaries(
                    dict.fromkeys(("name", "mid", "ends_at", "sessdata", "bili_jct"), inner)
                )
            ),
        ).map(lambda it: json.dumps(it).encode())
    )
    def test_whatever_stands_there_is_no_error(self, logins: LoginFile, data: bytes) -> None:
        """Damage is no login; what can be read has an end that a calendar knows."""
        logins.path.parent.mkdir(parents=True, exist_ok=True)
        logins.path.write_bytes(data)
        login = logins.load()
        if login and not math.isinf(login.ends_at):
            assert days_left(login.ends_at, NOW) is not None

    def test_a_folder_in_its_place_is_no_login(self, logins: LoginFile) -> None:
        """What cannot be read is none, and costs nothing else."""
        logins.path.mkdir(parents=True)
        assert logins.load() is None

    def test_two_processes_that_save_at_once(self, logins: LoginFile) -> None:
        """One of them counts in the end, whole; nothing of the other is mixed in, or left over."""
        code = (
            "import sys; from pathlib import Path; from imghost.login import LoginFile; "
            "from imghost.hosts.bilibili_login import Login; from imghost.secret import Secret\n"
            "who = sys.argv[2]; file = LoginFile(Path(sys.argv[1]))\n"
            "for _ in range(200): file.save(Login(Secret(who * 500), Secret(who), 1.0, who, who))"
        )
        words = [sys.executable, "-c", code, str(logins.path)]
        savers = [subprocess.Popen([*words, who]) for who in ("1", "2")]
        seen = set()
        while any(saver.poll() is None for saver in savers):
            if login := logins.load():
                seen.add((login.sessdata.reveal()[:1], login.bili_jct.reveal(), login.name))
                assert len(login.sessdata.reveal()) == 500
        assert [saver.returncode for saver in savers] == [0, 0]
        assert seen <= {("1", "1", "1"), ("2", "2", "2")}
        assert [*logins.path.parent.iterdir()] == [logins.path]


class TestOrder:
    """Which cookies count."""

    def test_environment_then_config_then_login(self, dirs: Dirs, logins: LoginFile) -> None:
        """Each counts only where those before it hold nothing, and it is known which."""
        logins.save(KEPT)
        file = write_config(dirs, {})
        assert _cookies(file) == ("kept%2C1%2C*", "kept-jct")
        assert _account(file) == Account("bilibili", KEPT.name, "42", NOW, "login")
        file = write_config(dirs, {"hosts": {"bilibili": OF_CONFIG}})
        assert _cookies(file) == (SESSDATA, BILI_JCT)
        assert _account(file) == Account("bilibili", "", "", math.inf, "config")
        environ = {"IMGHOST_SESSDATA": "env%2C2%2C*", "IMGHOST_BILI_JCT": "env-jct"}
        file = ConfigFile(file.path, environ, logins)
        assert _cookies(file) == ("env%2C2%2C*", "env-jct")
        account = _account(file)
        assert account
        assert account.origin == "environment"

    @pytest.mark.parametrize("key", [*OF_CONFIG])
    def test_two_logins_are_not_mixed(self, dirs: Dirs, logins: LoginFile, key: str) -> None:
        """Half of one in the config is not completed by the half of another."""
        logins.save(KEPT)
        file = write_config(dirs, {"hosts": {"bilibili": {key: OF_CONFIG[key]}}})
        assert "" in _cookies(file)
        assert _account(file) is None

    def test_a_new_login_is_noticed(self, dirs: Dirs, logins: LoginFile) -> None:
        """As a change of the config is; so is that it went."""
        file = write_config(dirs, {})
        file.load()
        assert not file.changed()
        logins.save(KEPT)
        assert file.changed()
        assert _cookies(file)[1] == "kept-jct"
        assert not file.changed()
        logins.forget()
        assert file.changed()
        assert _account(file) is None

    def test_the_config_that_is_shown_is_the_file_s(self, dirs: Dirs, logins: LoginFile) -> None:
        """It has no login in it that stands elsewhere."""
        logins.save(KEPT)
        file = write_config(dirs, {})
        assert "*****" not in config_file.shown(file.written())
        assert leaked(config_file.shown(file.load()) + repr(file.load()), ["kept-jct"]) == []


class TestEmptying:
    """What a login makes of cookies in the config."""

    def test_both_keys_are_emptied_and_nothing_else(self, dirs: Dirs) -> None:
        """Other keys and their order stay; what held nothing is not written at all."""
        sections: dict[str, Any] = {
            "link": {"format": "html"},
            "hosts": {"bilibili": {"bucket": "album", **OF_CONFIG}, "local": {"bucket": "x"}},
        }
        path = write_config(dirs, sections).path
        assert config_file.empty_login(path)
        sections["hosts"]["bilibili"] |= {"sessdata": "", "bili_jct": ""}
        assert json.dumps(json.loads(path.read_text())) == json.dumps(sections)
        before = path.stat()
        assert not config_file.empty_login(path)
        assert path.stat().st_mtime_ns == before.st_mtime_ns

    @pytest.mark.parametrize(
        "content", ["{}", '{"hosts": {}}', '{"hosts": 7}', '{"hosts": {"bilibili": []}}']
    )
    def test_a_config_without_them(self, dirs: Dirs, content: str) -> None:
        """Nothing is to be emptied there, nor where no file is."""
        path = write_config(dirs, {}).path
        path.write_text(content)
        assert not config_file.empty_login(path)
        assert path.read_text() == content
        path.unlink()
        assert not config_file.empty_login(path)
        assert not path.exists()

    def test_a_config_that_is_broken_stays(self, dirs: Dirs) -> None:
        """It is named, and not written over."""
        path = write_config(dirs, {}).path
        path.write_text('{"hosts": ')
        with pytest.raises(ConfigError, match="JSON"):
            config_file.empty_login(path)
        assert path.read_text() == '{"hosts": '


@pytest.mark.parametrize(
    ("left_s", "days"),
    [(180 * DAY_S, 180), (DAY_S + 1, 2), (DAY_S, 1), (1, 1), (0, 0), (-5 * DAY_S, 0)],
)
def test_days_that_are_begun_count(left_s: float, days: int) -> None:
    """A login that ends today has a day left, and one that has ended none."""
    assert days_left(NOW + left_s, NOW) == days
    assert days_left(math.inf, NOW) is None


@pytest.mark.parametrize(
    ("language", "one", "two"),
    [("en", "1 day left", "2 days left"), ("zh_CN", "还剩 1 天", "还剩 2 天")],
)
def test_one_day_is_one(language: str, one: str, two: str) -> None:
    """The days that are left are counted as people of each language do."""
    say = Speaker(language)
    assert [say(time_left(days)) for days in (1, 2)] == [one, two]


def _cookies(file: ConfigFile) -> tuple[str, str]:
    own = file.load().of_host("bilibili")
    return own.sessdata.reveal(), own.bili_jct.reveal()


def _account(file: ConfigFile) -> Account | None:
    return account_of(file, file.load())


def test_its_path_is_beside_nothing_that_people_share(dirs: Dirs, home: Path) -> None:
    """It stands neither with the config nor with the pictures."""
    assert dirs.login.parent not in (dirs.config, dirs.data)

"""The config: every mistake is named with its place and what to do, and a change harms nothing."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost import config_file
from imghost.cli.config import editing
from imghost.config import Config, WatchConfig, WatchedFolder
from imghost.config_file import ConfigFile
from imghost.errors import ConfigError
from imghost.hosts.base import check_bucket
from imghost.models import Target
from imghost.secret import Secret
from imghost.setting import read

EXAMPLE = Path(__file__).parent.parent / "config_example.json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the config file would be."""
    return tmp_path / "config" / "config.json"


def _load(path: Path, content: object) -> Config:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return ConfigFile(path, {}).load()


def test_no_file_is_fine(path: Path) -> None:
    """Without a file the embedded host serves; a file that was asked for must be there."""
    assert ConfigFile(path, {}).load().target() == Target("local", "images")
    with pytest.raises(ConfigError, match=r"config\.json"):
        ConfigFile(path, {}, required=True).load()


def test_the_example_is_the_defaults() -> None:
    """config_example.json loads as it stands and says what the defaults are."""
    assert ConfigFile(EXAMPLE, {}).load() == Config()
    assert json.loads(EXAMPLE.read_text(encoding="utf-8")) == json.loads(
        config_file.shown(Config())
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("   \n", "is empty"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"language": NaN}', "NaN is no number"),
        ('{"host": "local", "host": "local"}', "host stands there twice"),
        ("[]", "in braces"),
        ({"hots": "local"}, "unknown key hots; did you mean host"),
        ({"link": {"fromat": "html"}}, r"link\.fromat; did you mean link\.format"),
        ({"hosts": {"bilibili": {"sessdta": ""}}}, r"did you mean hosts\.bilibili\.sessdata"),
        ({"zzz": 1}, "unknown key zzz; known are host, hosts"),
        ({"host": "flickr"}, "host must be one of local, bilibili, s3, not flickr"),
        ({"host": 5}, "host must be a text in quotes, not 5"),
        ({"link": {"template": "\udcff{url}"}}, "link.template holds bytes that are no text"),
        ({"watch": {"folders": ["/\udcff"]}}, "watch.folders.0 holds bytes that are no text"),
        ({"link": []}, "link must be an object in braces"),
        ({"link": {"style": "@2e_1c"}}, "style"),
        ({"convert": {"quality": "high"}}, 'quality must be a whole number, not "high"'),
        ({"convert": {"quality": 0}}, "quality must be at least 1, not 0"),
        ({"convert": {"quality": True}}, "quality must be a whole number, not true"),
        ({"convert": {"quality": 85.5}}, "quality must be a whole number, not 85.5"),
        ({"convert": {"shrink": 1}}, "shrink must be true or false, not 1"),
        ({"limits": {"still_mpix": "x"}}, 'still_mpix must be a number, not "x"'),
        ('{"limits": {"still_mpix": 1e999}}', "still_mpix must be a number, not Infinity"),
        ('{"watch": {"poll_s": -1e999}}', "poll_s must be a number, not -Infinity"),
        ({"chime": {"volume": 10**400}}, "volume must be a number, not 1000"),
        ({"server": {"port": 65536}}, "port must be at most 65535, not 65536"),
        ({"limits": {"input_bytes": 1 << 63}}, "input_bytes must be at most 1099511627776"),
        ({"hosts": {"local": {"bucket": "../x"}}}, r"\.\./x"),
    ],
)
def test_a_mistake_is_named(path: Path, content: object, words: str) -> None:
    """A wrong config is refused with its file, the key, and what was expected."""
    with pytest.raises(ConfigError, match=words) as caught:
        _load(path, content)
    assert str(path) in str(caught.value)


def test_a_secret_that_is_no_text_is_for_its_host_to_judge(path: Path) -> None:
    """Whatever bytes were copied as a secret, the config can be written and read."""
    config_file.change(path, "hosts.bilibili.sessdata", "a\udcff", {})
    config: Any = ConfigFile(path, {}).load()
    assert config.hosts.bilibili.sessdata.reveal() == "a\udcff"


def test_a_secret_is_never_repeated(path: Path) -> None:
    """A secret of the wrong type or place is named by its key alone; a right one is masked."""
    for bilibili in ({"sessdata": ["c4n4ry"]}, "c4n4ry", ["c4n4ry"]):
        with pytest.raises(ConfigError, match=r"hosts\.bilibili") as caught:
            _load(path, {"hosts": {"bilibili": bilibili}})
        assert "c4n4ry" not in str(caught.value)
    loaded = _load(path, {"hosts": {"bilibili": {"sessdata": "c4n4ry"}}})
    assert loaded.hosts.bilibili.sessdata == Secret("c4n4ry")
    assert "c4n4ry" not in config_file.shown(loaded) + repr(loaded)


def test_the_environment_wins_for_secrets(path: Path) -> None:
    """IMGHOST_SESSDATA is used instead of what the file says, unless it is empty."""
    _load(path, {"hosts": {"bilibili": {"sessdata": "file"}}})
    for value, expected in (("environment", "environment"), ("", "file")):
        loaded = ConfigFile(path, {"IMGHOST_SESSDATA": value}).load()
        assert loaded.hosts.bilibili.sessdata.reveal() == expected


def test_reads_what_windows_editors_write(path: Path) -> None:
    """A byte-order mark and CRLF do no harm; another encoding is named."""
    path.parent.mkdir()
    path.write_bytes(b'\xef\xbb\xbf{"host":\r\n"local"}\r\n')
    assert ConfigFile(path, {}).load().host == "local"
    path.write_bytes("{}".encode("utf-16"))
    with pytest.raises(ConfigError, match="UTF-8"):
        ConfigFile(path, {}).load()


def test_a_change_keeps_the_rest(path: Path) -> None:
    """Setting one key keeps the others and their order, and the file is private."""
    _load(path, {"link": {"alt": "x", "format": "url"}, "host": "local"})
    changed = config_file.change(path, "link.format", "html", {})
    assert changed.link.format == "html"
    config_file.change(path, "server.port", "0", {})
    config_file.change(path, "link.template", "12", {})
    content = json.loads(path.read_text())
    assert list(content) == ["link", "host", "server"]
    assert content["link"] == {"alt": "x", "format": "html", "template": "12"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ConfigFile(path, {}).load().server.port == 0


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("link.fromat", "html", "did you mean link.format"),
        ("link", "html", "link is a section"),
        ("server.port", "many", "port must be a whole number"),
        ("link.format", "htlm", "link.format must be one of"),
        ("limits.still_mpix", "Infinity", "still_mpix must be a number, not Infinity"),
        ("limits.still_mpix", "1e999", "still_mpix must be a number, not Infinity"),
        ("chime.volume", "NaN", "volume must be a number, not NaN"),
    ],
)
def test_a_wrong_change_changes_nothing(path: Path, key: str, value: str, words: str) -> None:
    """A change that would make the config wrong is refused and the file stays as it was."""
    _load(path, {"host": "local"})
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=words):
        config_file.change(path, key, value, {})
    assert path.read_bytes() == before


def test_a_link_to_a_config_elsewhere_stays_one(path: Path, tmp_path: Path) -> None:
    """A symbolic link, as people who keep their settings in one folder have, is written through."""
    real = tmp_path / "dotfiles" / "imghost.json"
    _load(real, {})
    path.parent.mkdir()
    path.symlink_to(real)
    config_file.change(path, "link.format", "html", {})
    assert path.is_symlink()
    assert json.loads(real.read_text()) == {"link": {"format": "html"}}


def test_knows_when_the_file_changed(path: Path) -> None:
    """A file that was written again, removed or made is another one until it is loaded."""
    file = ConfigFile(path, {})
    assert not file.changed()
    _load(path, {"host": "local"})
    assert file.changed()
    file.load()
    assert not file.changed()
    path.unlink()
    assert file.changed()


@pytest.mark.parametrize(
    ("system", "editor", "command"),
    [
        ("linux", "'/my editors/x' -f", ["/my editors/x", "-f", "a b.json"]),
        ("win32", r'"C:\Program Files\x.exe" -f', r'"C:\Program Files\x.exe" -f "a b.json"'),
        ("win32", "notepad", 'notepad "a b.json"'),
    ],
)
def test_an_editor_is_called_as_its_system_does(
    system: str, editor: str, command: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its path may have blanks, and arguments may follow it."""
    monkeypatch.setattr(sys, "platform", system)
    assert editing(editor, Path("a b.json")) == command


def test_creates_a_file_once(path: Path) -> None:
    """Config init writes a file that loads, and never over one that is there."""
    config_file.create(path)
    assert ConfigFile(path, {}).load() == Config()
    with pytest.raises(ConfigError, match="exists already"):
        config_file.create(path)


@pytest.mark.parametrize("bucket", ["", ".", "..", "a/b", "a\\b", ".x", "é", "a b", "x" * 64])
def test_a_bucket_that_is_none(bucket: str) -> None:
    """A bucket's name that could be anything but a name is refused."""
    with pytest.raises(ConfigError, match="bucket"):
        check_bucket(bucket)


def test_an_unknown_host_is_told_with_the_known() -> None:
    """A host from the command line that does not exist names those that do."""
    with pytest.raises(ConfigError, match="flickr; known are local, bilibili"):
        Config().target("flickr")
    assert Config().target("bilibili", "album") == Target("bilibili", "album")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["host", "link", "x"]), inner)
        ),
    )
)
def test_nothing_but_a_config_error_escapes(
    tmp_path_factory: pytest.TempPathFactory, content: object
) -> None:
    """Whatever JSON stands in the file, it loads or is refused with a ConfigError."""
    path = tmp_path_factory.mktemp("c") / "config.json"
    path.write_text(json.dumps(content))
    try:
        loaded = ConfigFile(path, {}).load()
    except ConfigError:
        return
    assert isinstance(loaded, Config)


def test_watched_folders_are_paths_or_objects(home: Path) -> None:
    """A folder is a path, from the root or ~, or an object that says where its images go."""
    folders = ["~/Pictures", {"path": str(home / "b"), "host": "local", "bucket": "album"}]
    told = read(Config, {"watch": {"folders": folders}}, "", {}).watch.folders
    assert told == (
        WatchedFolder(str(home / "Pictures")),
        WatchedFolder(str(home / "b"), "local", "album"),
    )
    again = read(
        Config, json.loads(config_file.shown(Config(watch=WatchConfig(folders=told)))), "", {}
    )
    assert again.watch.folders == told


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ("~/Pictures", "watch.folders must be a list"),
        (["Pictures"], "watch.folders.0: Pictures is no whole path"),
        ([{"bucket": "a"}], "watch.folders.0:  is no whole path"),
        (["/a", {"path": "/b", "hots": "local"}], "unknown key watch.folders.1.hots"),
        ([{"path": "/b", "host": "nowhere"}], "unknown host nowhere"),
        ([{"path": "/b", "bucket": "a/b"}], "a/b cannot be a bucket's name"),
        ([7], "watch.folders.0 must be an object"),
    ],
)
def test_a_wrong_folder_is_named(folders: object, said: str) -> None:
    """What is wrong with a watched folder is said with its place in the list."""
    with pytest.raises(ConfigError, match=said):
        read(Config, {"watch": {"folders": folders}}, "", {})


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"bind": "0.0.0.0"}, "set server.secret first"),
        ({"bind": "192.168.1.5", "secret": ""}, "set server.secret first"),
        ({"bind": "nas.lan", "secret": "x"}, "server.bind must be an address"),
        ({"bind": "", "secret": "x"}, "server.bind must be an address"),
        ({"secret": 7}, "server.secret must be a text"),
        ({"bind": "0.0.0.0", "secret": " "}, "server.secret is nothing but blanks"),
        ({"secret": "\t\u3000"}, "server.secret is nothing but blanks"),
        ({"hosts": "nas.lan"}, "server.hosts must be a list"),
        ({"hosts": ["http://nas.lan"]}, "server.hosts.0 must be a name"),
        ({"hosts": ["nas.lan", "*"]}, "server.hosts.1 must be a name"),
        ({"hosts": [""]}, "server.hosts.0 must be a name"),
        ({"origins": ["*"]}, "server.origins.0 must be the exact origin"),
        ({"origins": ["null"]}, "server.origins.0 must be the exact origin"),
        ({"origins": ["https://*.example"]}, "server.origins.0 must be the exact origin"),
        ({"origins": ["https://a.example/"]}, "server.origins.0 must be the exact origin"),
        ({"origins": [1]}, "server.origins.0 must be the exact origin"),
    ],
)
def test_a_door_that_stands_open_is_refused(
    path: Path, server: dict[str, object], words: str
) -> None:
    """Other machines need a secret, and there is no way to allow every page."""
    with pytest.raises(ConfigError, match=words):
        _load(path, {"server": server})


def test_who_may_call(path: Path) -> None:
    """Names as browsers write them, origins letter for letter, and a secret that is not shown."""
    server = {"bind": "0.0.0.0", "secret": "canary", "hosts": ["NAS.lan", "[fd00::1]:443"]}
    config = _load(path, {"server": server | {"origins": ["capacitor://localhost"]}})
    assert config.server.hosts == ("nas.lan", "[fd00::1]:443")
    assert config.server.origins == ("capacitor://localhost",)
    assert config.server.secret == Secret("canary")
    assert "canary" not in config_file.shown(config) + repr(config)
    assert config_file.is_secret("server.secret")


@pytest.mark.parametrize(
    ("former", "key", "value"),
    [
        ({}, "link.format", "custom"),
        ({"link": {"template": "no link"}}, "link.format", "custom"),
        ({"link": {"template": "{url}", "format": "custom"}}, "link.template", ""),
    ],
)
def test_no_link_format_is_set_that_cannot_be_written(
    path: Path, former: object, key: str, value: str
) -> None:
    """The template first, then the format that needs it; what is wrong already can be mended."""
    _load(path, former)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"link\.template"):
        config_file.change(path, key, value, {})
    assert path.read_bytes() == before
    _load(path, {"link": {"format": "custom"}})
    config_file.change(path, "watch.ask", "true", {})
    config_file.change(path, "link.template", "<{url}>", {})
    assert config_file.change(path, "link.format", "custom", {}).link.template == "<{url}>"

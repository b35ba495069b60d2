"""The config's file: read, watched for changes, and changed as a whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from imghost.config import Config
from imghost.disk import is_there, write_atomically
from imghost.errors import ConfigError
from imghost.links import check_format
from imghost.lock import FileLock
from imghost.login import Login, LoginFile
from imghost.secret import Secret
from imghost.setting import as_json, in_file, read, read_file, unknown_key
from imghost.text import LANGUAGES

LOGIN_HOST = "bilibili"
_LOGIN_KEYS = ("sessdata", "bili_jct")
_LOCK_WAIT_S = 10.0


class ConfigFile:
    """The config in a file, which may change at any time, and the login that is kept apart.

    Without a file all defaults hold, unless `required`: somebody named it. Secrets in the
    environment win over the file, and those over the `login` that was in `logins` at the last load.
    """

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        logins: LoginFile | None = None,
        *,
        required: bool = False,
    ) -> None:
        self.path = path
        self.environ = environ
        self.logins = logins
        self.login: Login | None = None
        self._required = required
        self._seen = self._stamps()

    def load(self) -> Config:
        """The config as it is now, logged in. Raises ConfigError."""
        self._seen = self._stamps()
        self.login = self.logins.load() if self.logins else None
        return _logged_in(self.written(), self.login)

    def written(self) -> Config:
        """The config as it is now without the login that is kept elsewhere. Raises ConfigError."""
        if not is_there(self.path) and not self._required:
            return _parsed({}, self.path, self.environ)
        return _parsed(read_file(self.path), self.path, self.environ)

    def changed(self) -> bool:
        """Whether the file, or the login, is another one than was loaded last."""
        return self._stamps() != self._seen

    def _stamps(self) -> tuple[object, object]:
        return _stamp(self.path), self.logins and _stamp(self.logins.path)


def language_of(path: Path) -> str:
    """The language that the file sets, even if the rest of it is wrong."""
    try:
        language = read_file(path).get("language", "")
    except ConfigError:
        return ""
    return language if language in LANGUAGES else ""


def create(path: Path) -> None:
    """Write a config file with every key and its default. Raises ConfigError if there is one."""
    if is_there(path) and path.stat().st_size:
        raise ConfigError("{path} exists already; imghost config edit opens it", path=str(path))
    write_atomically(path, (shown(Config()) + "\n").encode(), path.parent)


def shown(config: Config) -> str:
    """The whole config as JSON, secrets masked."""
    return json.dumps(as_json(config), ensure_ascii=False, indent=2)


def change(path: Path, key: str, text: str, environ: Mapping[str, str]) -> Config:
    """Set one key in the file, which is written whole or not at all, and give the new config.

    `text` is JSON, else a text as it stands; a secret is always the latter. Raises ConfigError, and
    then nothing was changed.
    """
    with _changing(path) as content:
        _set(content, key, text)
        config = _parsed(content, path, environ)
        if key.startswith("link."):
            check_format(config.link.format, config.link.template)
    return config


def empty_login(path: Path) -> bool:
    """Empty the login's keys in the file, both at once; whether one of them held something."""
    if not is_there(path):
        return False
    with _changing(path) as content:
        hosts = content.get("hosts", {})
        section = hosts.get(LOGIN_HOST, {}) if isinstance(hosts, dict) else {}
        held = [key for key in _LOGIN_KEYS if isinstance(section, dict) and section.get(key)]
        for key in held:
            section[key] = ""
    return bool(held)


@contextmanager
def _changing(path: Path) -> Iterator[dict[str, Any]]:
    """What stands in the file, to be changed and then written back by nobody else meanwhile."""
    path = path.resolve()  # a link to a file elsewhere stays one
    with FileLock(path.with_suffix(".lock")) as lock:
        if not lock.acquire(wait_s=_LOCK_WAIT_S):
            raise ConfigError(
                "{path} is being changed by another imghost; try again", path=str(path)
            )
        content = read_file(path) if is_there(path) else {}
        former = json.dumps(content)
        yield content
        if json.dumps(content) != former:
            text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
            data = text.encode(errors="backslashreplace")  # as JSON writes what is no text
            write_atomically(path, data, path.parent)


def is_secret(key: str) -> bool:
    """Whether the key holds a secret, whose value may not stand on a command line."""
    return isinstance(_default_of(key), Secret)


def _logged_in(config: Config, login: Login | None) -> Config:
    """The config with the login in it, unless it has cookies already: those of two do not mix."""
    own = config.of_host(LOGIN_HOST)
    if login is None or own.sessdata or own.bili_jct:
        return config
    cookies = replace(own, sessdata=login.sessdata, bili_jct=login.bili_jct)
    return replace(config, hosts=replace(config.hosts, **{LOGIN_HOST: cookies}))


def _parsed(content: object, path: Path, environ: Mapping[str, str]) -> Config:
    try:
        return read(Config, content, "", environ)
    except ConfigError as exc:
        raise in_file(path, exc) from exc


def _set(content: dict[str, Any], key: str, text: str) -> None:
    *sections, name = key.split(".")
    value = _value_for(_default_of(key), text)
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise ConfigError("{key} must be an object in braces", key=section)
    content[name] = value


def _default_of(key: str) -> object:
    value: object = Config()
    for name in key.split("."):
        if not is_dataclass(value) or name not in {f.name for f in fields(value)}:
            raise unknown_key(key, list(_keys(Config())))
        value = getattr(value, name)
    if is_dataclass(value):
        raise ConfigError(
            "{key} is a section; set one of its keys, such as {key}.{name}",
            key=key,
            name=fields(value)[0].name,
        )
    return value


def _keys(settings: object, above: str = "") -> Iterator[str]:
    for field in fields(settings):  # type: ignore[arg-type]  # a dataclass
        key, value = f"{above}{field.name}", getattr(settings, field.name)
        if is_dataclass(value):
            yield from _keys(value, f"{key}.")
        else:
            yield key


def _value_for(default: object, text: str) -> object:
    if isinstance(default, Secret):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(default, str) and not isinstance(value, str) else value


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino

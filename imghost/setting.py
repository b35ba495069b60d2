"""Settings: frozen dataclasses that say which JSON they are read from.

A setting has the type of its default; `setting()` adds what else must be true of its value.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from imghost.errors import ConfigError
from imghost.secret import MASK, Secret

T = TypeVar("T")

_SURROGATE = re.compile("[\ud800-\udfff]")
_SHOWN_CHARACTERS = 40
_LARGEST_BYTES = 16 << 20
_PASSWORD = re.compile(r"\A(https?://).*@", re.DOTALL | re.IGNORECASE)


def setting(
    default: T,
    *,
    choices: Sequence[str] = (),
    least: float | None = None,
    most: float | None = None,
    check: Callable[[str], object] | None = None,
    env: str = "",
    item: Callable[[object, str], object] | None = None,
    required: bool = False,
) -> T:
    """A field with a default.

    `choices`: the texts that are allowed. `least`, `most`: the bounds of a number. `check`
    raises ConfigError for a bad text. `env`: the environment variable that wins over the file.
    `item` reads one item of a list, whose key it is told, or raises ConfigError. `required`: while
    it is empty its section cannot be used, see `missing`.
    """
    metadata = {
        "choices": choices,
        "least": least,
        "most": most,
        "check": check,
        "env": env,
        "item": item,
        "required": required,
    }
    value: T = dataclasses.field(default=default, metadata=metadata)
    return value


def read(kind: type[T], value: object, key: str, environ: Mapping[str, str]) -> T:
    """The settings of this kind from parsed JSON; `key` is the path to it, for the errors.

    Raises ConfigError, which names the key, the nearest known one, or what was expected.
    """
    if not isinstance(value, dict):
        raise ConfigError("{key} must be an object in braces", key=key or "config")
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]  # T is one
    for name in value:
        if name not in fields:
            raise unknown_key(_joined(key, name), [_joined(key, f) for f in fields])
    found = {
        name: _read_field(field, value.get(name, field.default), _joined(key, name), environ)
        for name, field in fields.items()
    }
    return kind(**found)


def missing(settings: object) -> str:
    """The first required setting that is empty; "" if there is none."""
    named = dataclasses.fields(settings)  # type: ignore[arg-type]  # a dataclass
    required = [field.name for field in named if field.metadata.get("required")]
    return next((name for name in required if not getattr(settings, name)), "")


def read_file(path: Path) -> dict[str, Any]:
    """The object that a file of JSON holds. Raises ConfigError, which names the file."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            raise ConfigError(
                "{path} is too large for settings; 16 MB are the most", path=str(path)
            )
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigError("{path} is not UTF-8 text; save it as UTF-8", path=str(path)) from exc
    except OSError as exc:
        raise ConfigError(
            "{path} cannot be read: {detail}; check the path and its permissions",
            path=str(path),
            detail=exc.strerror or str(exc),
        ) from exc
    if not text.strip():
        raise ConfigError("{path} is empty; put {{}} into it, or delete it", path=str(path))
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except ConfigError as exc:
        raise in_file(path, exc) from exc
    except (ValueError, RecursionError) as exc:
        raise ConfigError("{path} is not JSON: {detail}", path=str(path), detail=str(exc)) from exc
    if not isinstance(content, dict):
        raise ConfigError("{path} must hold an object in braces", path=str(path))
    return content


def in_file(path: Path, error: ConfigError) -> ConfigError:
    """The error with the file that it is about."""
    return ConfigError("{path}: {problem}", path=str(path), problem=error.message)


def unknown_key(key: str, known: Sequence[str]) -> ConfigError:
    """The error that names the nearest known key, or those of its section, or all sections."""
    from difflib import get_close_matches

    if near := get_close_matches(key, known, n=1):
        return ConfigError("unknown key {key}; did you mean {near}?", key=key, near=near[0])
    section = key.rpartition(".")[0]
    beside = [one for one in known if section and one.rpartition(".")[0] == section]
    shown = beside or dict.fromkeys(one.partition(".")[0] for one in known)
    return ConfigError("unknown key {key}; known are {known}", key=key, known=", ".join(shown))


def as_json(settings: object) -> dict[str, Any]:
    """The settings as they stand in JSON; secrets, and who is named in a URL, are masked."""
    named = dataclasses.fields(settings)  # type: ignore[arg-type]  # a dataclass
    return {field.name: _value_as_json(getattr(settings, field.name)) for field in named}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise ConfigError("the key {key} stands there twice; leave one of them", key=key)
        content[key] = value
    return content


def _no_constant(name: str) -> None:
    raise ConfigError("{value} is no number", value=name)


def _value_as_json(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return as_json(value)
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, str):
        return _PASSWORD.sub(rf"\g<1>{MASK}@", value)
    if isinstance(value, tuple):
        return [_value_as_json(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read_field(
    field: dataclasses.Field[Any], value: object, key: str, environ: Mapping[str, str]
) -> object:
    if dataclasses.is_dataclass(field.default):
        section = {} if value is field.default else value
        return read(type(field.default), section, key, environ)
    if item := field.metadata.get("item"):
        return _read_items(item, value, key)
    value = environ.get(field.metadata.get("env", "")) or value
    typed = _typed(type(field.default), value, key)
    _check(field.metadata, typed, key)
    return typed


def _read_items(read_item: Callable[[object, str], Any], value: object, key: str) -> object:
    if not isinstance(value, list | tuple):
        raise ConfigError("{key} must be a list in brackets, not {value}", **_shown(key, value))
    for at, item in enumerate(value):
        _check_text(item, f"{key}.{at}")
    return tuple(read_item(item, f"{key}.{at}") for at, item in enumerate(value))


def _check_text(value: object, key: str) -> None:
    if isinstance(value, str) and _SURROGATE.search(value):
        raise ConfigError("{key} holds bytes that are no text; write it anew in UTF-8", key=key)


def _typed(kind: type, value: object, key: str) -> object:
    if kind is str:
        _check_text(value, key)
    if kind is float:
        return _number(value, key)
    if type(value) is kind:
        return value
    if kind is Secret:
        if isinstance(value, str):
            return Secret(value)
        raise ConfigError("{key} must be a text in quotes", key=key)
    if kind is bool:
        raise ConfigError("{key} must be true or false, not {value}", **_shown(key, value))
    if kind is str:
        raise ConfigError("{key} must be a text in quotes, not {value}", **_shown(key, value))
    raise ConfigError("{key} must be a whole number, not {value}", **_shown(key, value))


def _number(value: Any, key: str) -> float:  # noqa: ANN401 - any JSON
    """Neither infinite nor NaN, which no JSON has."""
    if type(value) in (int, float) and abs(value) <= sys.float_info.max:
        return float(value)
    raise ConfigError("{key} must be a number, not {value}", **_shown(key, value))


def _check(rules: Mapping[str, Any], value: Any, key: str) -> None:  # noqa: ANN401 - any setting
    least, most = rules.get("least"), rules.get("most")
    if least is not None and value < least:
        raise ConfigError(
            "{key} must be at least {least}, not {value}", key=key, least=least, value=value
        )
    if most is not None and value > most:
        raise ConfigError(
            "{key} must be at most {most}, not {value}", key=key, most=most, value=value
        )
    if (choices := rules.get("choices")) and value not in choices:
        raise ConfigError(
            "{key} must be one of {choices}, not {value}",
            key=key,
            choices=", ".join(filter(None, choices)),
            value=value,
        )
    if (check := rules.get("check")) and (value or not rules.get("required")):
        check(value)


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _shown(key: str, value: object) -> dict[str, str]:
    return {
        "key": key,
        "value": json.dumps(value, ensure_ascii=False)[:_SHOWN_CHARACTERS],
    }

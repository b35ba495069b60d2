"""Starting with the desktop session, on each system."""

from __future__ import annotations

import plistlib
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imghost.desktop.autostart import desktop_entry, is_on, own_command, turn_off, turn_on
from imghost.errors import MachineError
from tests.fakes.registry import RUN, Registry

COMMAND = ["/opt/图 片/imghost", "watch", "--autostart"]
SYSTEMS = ["linux", "darwin", "win32"]

arguments = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """An empty registry."""
    registry = Registry()
    monkeypatch.setitem(sys.modules, "winreg", registry)
    monkeypatch.delitem(sys.modules, "imghost.desktop.run_key", raising=False)
    return registry


@pytest.fixture(params=SYSTEMS)
def system(
    request: pytest.FixtureRequest, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Each system in turn, with an empty home."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", request.param)
    yield request.param
    sys.modules.pop("imghost.desktop.run_key", None)


def test_on_and_off(system: str) -> None:
    """It is off, then on, then off again; each may be said twice."""
    assert not is_on()
    assert not turn_off()
    assert turn_on(COMMAND, {}) == turn_on(COMMAND, {})
    assert is_on()
    assert turn_off()
    assert not is_on()
    assert not turn_off()


def test_linux(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux it is a file of this user alone in the folder of the XDG Autostart Specification."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    path = home / ".config" / "autostart" / "imghost.desktop"
    assert turn_on(COMMAND, {}).where == str(path)
    assert _parsed(path.read_bytes())["Type"] == "Application"
    assert _arguments(_parsed(path.read_bytes())["Exec"]) == COMMAND
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(("given", "used"), [("elsewhere", True), (".", False), ("", False)])
def test_a_config_folder_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch, given: str, used: bool
) -> None:
    """XDG_CONFIG_HOME moves the file if it is absolute, as its specification has it."""
    folder = home / given if used else home / ".config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder) if used else given)
    assert turn_on(COMMAND, {}).where == str(folder / "autostart" / "imghost.desktop")


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_turned_off_elsewhere(home: Path, line: str) -> None:
    """What the desktop's own settings turned off is off, until it is turned on here again."""
    path = Path(turn_on(COMMAND, {}).where)
    with path.open("a") as file:
        file.write(f"{line}\n")
    assert not is_on()
    turn_on(COMMAND, {})
    assert is_on()


@given(
    st.builds(
        lambda first, rest: [re.sub("[%=]", "", first), *rest], arguments, st.lists(arguments)
    )
)
@example(
    ["/a b/c", "", "$HOME", "`id`", '"', "\\", "%f", "100%", "'", "\n\t\r", "~", "图 片", "a=b"]
)
def test_exec_is_read_back(command: list[str]) -> None:
    """Whatever the arguments are, who follows the specification reads the same ones."""
    assert _arguments(_parsed(desktop_entry(command, {}))["Exec"]) == command


def test_macos(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS it is an agent that launchd starts at login."""
    monkeypatch.setattr(sys, "platform", "darwin")
    path = Path(turn_on(COMMAND, {}).where)
    assert path == home / "Library" / "LaunchAgents" / "imghost.plist"
    agent = plistlib.loads(path.read_bytes())
    assert agent == {"Label": "imghost", "ProgramArguments": COMMAND, "RunAtLoad": True}


def test_windows(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it is a value of the Run key, quoted as programs read it, beside others'."""
    monkeypatch.setattr(sys, "platform", "win32")
    registry.keys[RUN] = {"other": "other.exe"}
    assert RUN in turn_on([r"C:\Program Files\x\imghostw.exe", "watch"], {}).where
    assert registry.keys[RUN]["imghost"] == r'"C:\Program Files\x\imghostw.exe" watch'
    assert turn_off()
    assert registry.keys == {RUN: {"other": "other.exe"}}


HOME = {"IMGHOST_HOME": "/home/图 片/100%"}


def test_the_environment_is_written_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux by `env`, on macOS by launchd; whatever the variable holds."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    written = turn_on(COMMAND, HOME)
    assert written.lacks == ()
    words = _arguments(_parsed(Path(written.where).read_bytes())["Exec"])
    assert words == ["env", f"IMGHOST_HOME={HOME['IMGHOST_HOME']}", *COMMAND]
    monkeypatch.setattr(sys, "platform", "darwin")
    agent = plistlib.loads(Path(turn_on(COMMAND, HOME).where).read_bytes())
    assert (agent["ProgramArguments"], agent["EnvironmentVariables"]) == (COMMAND, HOME)


def test_windows_holds_no_environment(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever turns it on can say so."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert turn_on(["a.exe"], HOME).lacks == ("IMGHOST_HOME",)
    assert registry.keys[RUN]["imghost"] == "a.exe"


def test_a_registry_that_is_locked(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an administrator forbids it, that is said."""
    monkeypatch.setattr(sys, "platform", "win32")
    registry.locked = True
    for change in (lambda: turn_on(COMMAND, {}), turn_off):
        with pytest.raises(MachineError, match="not writable"):
            change()
    assert not is_on()


@pytest.mark.parametrize("program", ["/opt/100%/imghost", "/opt/a=b/imghost"])
def test_a_program_that_desktops_pass_over(program: str) -> None:
    """A program that some desktops would silently never start is refused in words."""
    with pytest.raises(MachineError, match="plainer name"):
        turn_on([program], {})
    assert not is_on()


def test_a_command_that_cannot_be_written(system: str) -> None:
    """What the system's list cannot hold is refused in words, and nothing is written."""
    with pytest.raises(MachineError, match="plainer name"):
        turn_on(["/a\udcff\x01" + "b" * 260], {})
    assert not is_on()


def test_a_folder_that_cannot_be_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder should be is an error in words."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    (home / "autostart").write_text("")
    for change in (lambda: turn_on(COMMAND, {}), turn_off):
        with pytest.raises(MachineError):
            change()
    assert not is_on()


@pytest.mark.parametrize(
    ("windows", "beside", "program"),
    [
        (False, "imghost", ["imghost"]),
        (False, "", ["python", "-P", "-m", "imghost"]),
        (True, "imghostw.exe", ["imghostw.exe"]),
        (True, "", ["pythonw.exe", "-P", "-m", "imghost"]),
    ],
)
def test_our_own_command(tmp_path: Path, windows: bool, beside: str, program: list[str]) -> None:
    """The script beside the interpreter is started, else the interpreter; no console on Windows."""
    if beside:
        (tmp_path / beside).touch()
    first, *rest = own_command(str(tmp_path / "python"), windows=windows)
    assert [Path(first).name, *rest] == [*program, "watch", "--autostart"]
    assert Path(first).parent == tmp_path


def test_our_own_command_starts_this_program() -> None:
    """It begins with a program that is there."""
    program, *words = own_command()
    assert Path(program).is_file()
    assert words[-2:] == ["watch", "--autostart"]


def _parsed(content: bytes) -> dict[str, str]:
    """The keys of a desktop file, without escapes of strings."""
    head, *lines = content.decode().removesuffix("\n").split("\n")
    assert head == "[Desktop Entry]"
    unescaped = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    values = {}
    for line in lines:
        key, _, value = line.partition("=")
        characters = iter(value)
        values[key] = "".join(unescaped[next(characters)] if c == "\\" else c for c in characters)
    return values


def _arguments(line: str) -> list[str]:
    """The arguments of an Exec line, by the letter of the specification."""
    reserved = frozenset(" \t\n\"'\\><~|&;$*?#()`")
    found: list[str] = []
    rest = line
    while True:
        if rest.startswith('"'):
            argument, rest = _in_quotes(rest[1:])
        else:
            argument, space, rest = rest.partition(" ")
            rest = space + rest
            assert argument
            assert not reserved & set(argument)
        assert argument.replace("%%", "").count("%") == 0
        found.append(argument.replace("%%", "%"))
        if not rest:
            return found
        assert rest[0] == " "
        rest = rest[1:]


def _in_quotes(text: str) -> tuple[str, str]:
    characters = iter(text)
    argument = ""
    for character in characters:
        if character == '"':
            return argument, "".join(characters)
        if character == "\\":
            character = next(characters)  # noqa: PLW2901 - what was escaped
            assert character in '"`$\\'
        else:
            assert character not in "`$"
        argument += character
    pytest.fail("the quotes do not end")

"""The structure: imports go down the layers, never round, and start-up stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "imghost"
LAYERS = (
    {
        "models",
        "errors",
        "text",
        "secret",
        "dirs",
        "disk",
        "lock",
        "log",
        "login",
        "setting",
        "door",
        "in_order",
        "gently",
        "clipboard",
        "desktop",
        "survival",
        "values",
    },
    {"imaging", "keep", "sources", "links", "transport"},
    {"hosts"},
    {"config", "config_file"},
    {"pipeline"},
    {"gate", "turns", "outbox", "delivery"},
    {"health", "archive", "server", "open_hosts", "sinks", "posts", "inputs"},
    {
        "app",
        "account",
        "choosing",
        "doctor",
        "forget",
        "gallery",
        "logging_in",
        "login_page",
        "report",
        "caretaker",
        "daemon",
        "presence",
        "tray",
        "senders",
        "watch",
        "desk",
        "backend",
        "looks",
        "editors",
        "front",
        "copying",
    },
    {"cli", "__main__"},
)
HEAVY = (
    *("requests", "PIL", "starlette", "uvicorn", "asyncio", "http.client", "platformdirs"),
    *("sqlite3", "imghost.config", "imghost.hosts"),
)


def _modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


MODULES = _modules()


def _layer(module: str) -> int:
    part = [*module.split("."), ""][1]
    return next((n for n, names in enumerate(LAYERS) if part in names), -1)


def _imports(path: Path, *, late: bool) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if late else tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                full = f"{node.module}.{name.name}"
                yield full if full in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def _ours(path: Path, *, late: bool) -> set[str]:
    return {name for name in _imports(path, late=late) if name in MODULES and name != "imghost"}


def test_every_module_has_a_layer() -> None:
    """A new module or package is put into one of the layers."""
    assert [m for m in MODULES if m != "imghost" and _layer(m) < 0] == []


@pytest.mark.parametrize("module", [m for m in MODULES if m != "imghost"])
def test_imports_go_down(module: str) -> None:
    """No module imports from a layer above its own, not even late."""
    ours = _ours(MODULES[module], late=True)
    assert {name for name in ours if _layer(name) > _layer(module)} == set()


def test_imports_do_not_go_round() -> None:
    """No two modules need one another to be imported."""
    graph = {module: _ours(path, late=False) for module, path in MODULES.items()}
    seen: dict[str, bool] = {}

    def walk(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in seen:
            seen[module] = True
            for name in graph[module]:
                walk(name, (*trail, module))

    for module in graph:
        walk(module, ())


def test_hosts_know_nothing_of_one_another() -> None:
    """A host imports neither another host, nor the config, nor the server."""
    hosts = {m for m in MODULES if m.startswith("imghost.hosts.") and not m.endswith(".base")}
    for host in hosts:
        others = {o for o in hosts if o.split("_")[0] != host.split("_")[0]} - {"imghost.hosts"}
        forbidden = others | {
            m for m in MODULES if m.startswith(("imghost.config", "imghost.server"))
        }
        assert not _ours(MODULES[host], late=True) & forbidden, host


def test_modules_are_short_and_told_in_one_line() -> None:
    """A module says its one idea first, and stays under about 250 lines."""
    for path in MODULES.values():
        text = path.read_text(encoding="utf-8")
        if text:
            assert ast.get_docstring(ast.parse(text)), path
        assert len(text.splitlines()) <= 300, path


def test_every_test_says_what_must_be_true() -> None:
    """Each test has a docstring of a sentence."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
                "test_"
            ):
                said = ast.get_docstring(node)
                assert said, f"{path.name}: {node.name}"
                assert said.split("\n\n")[0].rstrip().endswith("."), f"{path.name}: {node.name}"


@pytest.mark.parametrize("module", ["imghost.cli", "imghost.cli.upload", "imghost.cli.client"])
def test_a_command_starts_light(module: str) -> None:
    """Asking the running daemon to upload loads no heavy module."""
    found = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert [name for name in HEAVY if name in found] == []

"""Our own sounds and icons, as files."""

from __future__ import annotations

from pathlib import Path


def asset(name: str) -> Path:
    """One of them, in an installed package or beside a checkout's."""
    package = Path(__file__).parents[1]
    folder = package / "assets"
    return (folder if folder.is_dir() else package.with_name("assets")) / name

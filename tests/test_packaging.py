"""What is installed is whole: the packages that people get hold all that the program reads."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from imghost.server.gallery.pages import STATIC

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return folder


def test_the_wheel_holds_code_catalogues_and_assets(built: Path) -> None:
    """Every module, every catalogue and every asset is in the wheel, and nothing of the tests."""
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(p.relative_to(ROOT)) for p in (ROOT / "imghost").rglob("*.py")}
    data = {str(p.relative_to(ROOT)) for p in (ROOT / "imghost" / "catalogues").iterdir()}
    gallery = ROOT / "imghost" / "server" / "gallery"
    data |= {str(p.relative_to(ROOT)) for p in gallery.glob("[ts]*/*.*")}
    assert len([name for name in data if name.startswith("imghost/server/gallery/")]) > 7
    data |= {f"imghost/server/gallery/static/{name}" for name in STATIC}
    assets = {f"imghost/assets/{p.name}" for p in (ROOT / "assets").iterdir() if p.is_file()}
    assert modules | data | assets <= names
    assert not [name for name in names if name.startswith("tests")]


def test_the_sdist_can_be_tested(built: Path) -> None:
    """The source distribution holds the tests, the licence and the example config too."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "CHANGELOG.md", "README.md", "config_example.json", ".ci/run"} <= names
    assert "tests/test_packaging.py" in names


def test_the_top_level_is_fixed() -> None:
    """Nothing new stands at the top level of the project."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a checkout")
    allowed = {
        *("pyproject.toml", "README.md", "config_example.json", "LICENSE", "CHANGELOG.md"),
        *(".ci", "assets", "tests", "imghost", ".github", ".gitignore"),
    }
    assert {name.split("/")[0] for name in listed.stdout.splitlines()} == allowed

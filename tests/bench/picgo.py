"""PicGo-Core 3 and its uploader to any web address, fetched once into the user's cache folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.bench.measure import LeftOut

_PACKAGES = ("picgo@3.1.0", "picgo-plugin-web-uploader@1.1.1")
_UPLOADER = "web-uploader"
_SERVER = """
const { PicGo } = require('picgo')
const [config, port] = process.argv.slice(2)
new PicGo(config).server.listen(Number(port), '127.0.0.1', true)
"""


def installed() -> Path:
    """The folder with its packages. Raises LeftOut if it has to be fetched and cannot."""
    what = "beside PicGo"
    if not shutil.which("node") or not shutil.which("npm"):
        raise LeftOut(what, "no Node")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "imghost-bench" / "-".join(_PACKAGES)
    done = folder / "server.js"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-fund", "--no-audit", *_PACKAGES]
        npm = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        if npm.returncode:
            raise LeftOut(what, "npm could not fetch it")
        done.write_text(_SERVER)
    return folder


def upload_command(folder: Path, host: str) -> tuple[str, ...]:
    """What uploads the files that are named after it to this address, as its users run it."""
    picgo = str(folder / "node_modules" / "picgo" / "bin" / "picgo")
    return ("node", picgo, "--config", str(_configured(folder, host)), "upload")


def server_command(folder: Path, host: str, port: int) -> tuple[str, ...]:
    """What runs its own server, which uploads to this address."""
    return ("node", str(folder / "server.js"), str(_configured(folder, host)), str(port))


def _configured(folder: Path, host: str) -> Path:
    bed = {"url": f"{host}/upload", "paramName": "file", "jsonPath": "data.location"}
    config = folder / "config.json"
    config.write_text(
        json.dumps(
            {
                "picBed": {"current": _UPLOADER, "uploader": _UPLOADER, _UPLOADER: bed},
                "picgoPlugins": {"picgo-plugin-web-uploader": True},
            }
        )
    )
    return config

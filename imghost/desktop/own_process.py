"""One of our own modules in a process of its own, which finds what this one would import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def start_module(module: str, *words: str, **options: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - as Popen
    """Start `python -m module words`; `options` are Popen's. Raises OSError."""
    folders = [str(Path(folder).absolute()) for folder in sys.path]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(folders)}
    process: subprocess.Popen[bytes] = subprocess.Popen(
        [sys.executable, "-P", "-m", module, *words], env=environ, **options
    )
    return process

"""What stands where in an archive: a plain tar, for people to open with what they have.

imghost.json                               the first: what wrote it, and in which form
pictures/<date> <name>.<sha256>.<ending>   an original
journal/<sha256>.json                      what is known of it: its uploads, and files made of it
local/<bucket>/<sha1>.<ending>             a file of the embedded host that is no original
end.json                                   the last: how much of each there is
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from imghost.keep.journal import Journal
from imghost.keep.learning import Learner
from imghost.keep.schema import MIGRATIONS
from imghost.keep.store import Store
from imghost.values import dataclass

FORM = 1
JOURNAL = len(MIGRATIONS)
MANIFEST, POSTS, END = "imghost.json", "posts.json", "end.json"
PICTURES, ROWS, FILES = "pictures", "journal", "local"
PICTURE = re.compile(rf"{PICTURES}/[^/]*\.([0-9a-f]{{64}})\.[a-z]+", re.DOTALL)
ROW = re.compile(rf"{ROWS}/([0-9a-f]{{64}})\.([0-9a-f]{{8}})\.json")
FILE = re.compile(rf"{FILES}/([^/]+)/([^/]+)")
UNKNOWN_ENDING = "bin"

Progress = Callable[[int, int], None]
"""Is told how much of how much is done."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What goes into an archive and comes out of it.

    `local` is the embedded host's folder, `posts` the file of the posts that are known. `tmp` takes
    unfinished files, on the same file system.
    """

    store: Store
    journal: Journal
    learner: Learner
    local: Path
    posts: Path
    tmp: Path

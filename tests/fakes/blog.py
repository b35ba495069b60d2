"""A folder of posts as people write them, and the pictures that they use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.fakes import bilibili, pictures
from tests.fakes.program import Program, Result

POST = """---
title: 第一篇 文章
cover: img/cover.png
---

# A post \U0001f600

![A view](img/a.png "The view") and `![code](img/a.png)`.

```
![code](img/a.png)
```

<img src="img/b.png" width="300">
"""


@dataclass(frozen=True)
class Blog:
    """A folder of posts, and the pictures beside them."""

    folder: Path

    def post(self, name: str, text: str, *, encoding: str = "utf-8") -> Path:
        """Write a post."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
        return path

    def picture(self, name: str, seed: int) -> Path:
        """Put a picture there, another one for each seed."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pictures.png(seed=seed))
        return path

    def state(self) -> dict[str, tuple[bytes, int, int]]:
        """Every file's bytes, mode and time."""
        return {
            str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


def small_blog(folder: Path) -> Blog:
    """Two posts that use three pictures, one of them both."""
    made = Blog(folder)
    for seed, name in enumerate(("cover", "a", "b")):
        made.picture(f"img/{name}.png", seed)
    made.post("first.md", POST)
    made.post("second.md", "Again ![](img/a.png).\r\n\r\nEnd\r\n", encoding="utf-8-sig")
    return made


def large_blog(folder: Path, posts: int, pictures_each: int = 2) -> Blog:
    """Posts that use pictures of their own, and all of them one more."""
    made = Blog(folder)
    made.picture("shared.png", 0)
    for n in range(posts):
        own = [f"img/{n}-{k}.png" for k in range(pictures_each)]
        for k, name in enumerate(own):
            made.picture(name, 1 + n * pictures_each + k)
        made.post(f"post{n:03}.md", "".join(f"![]({name})\n" for name in ("shared.png", *own)))
    return made


def migrate(program: Program, *words: str | Path, code: int = 0) -> Result:
    """Run it to its end, which must be this one; nobody is asked."""
    result = program.run("migrate", "--yes", *words)
    assert result.code == code, result.err
    assert "Traceback" not in result.err
    return result


def links(fake: bilibili.FakeBilibili) -> dict[bytes, str]:
    """Where each picture is, by its bytes."""
    return {data: f"{fake.url}{path}" for path, (_, data) in fake.images.items()}

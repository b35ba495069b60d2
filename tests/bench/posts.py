"""Reading and rewriting a blog that looks like one: Chinese and English, code, lists, tables."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from imghost.posts.post import read_post, write_post
from imghost.posts.rewrite import rewrite
from imghost.posts.scan import scan
from tests.bench.measure import Row, median_s

_RUNS = 7
_POSTS = 300
_CHINESE = "图床会变心。文章要比它活得久。我们把每一张图片都记下来。链接失效时从原图重新上传。"
_ENGLISH = (
    "A picture that nobody can see any more is worse than none at all, so keep the original. "
)
_CODE = """```python
def kept(path: Path) -> bytes:
    with open(path, "rb") as file:  # ![no](picture.png)
        return file.read()
```
"""
_LIST = """- first look at the `config` and **then** at the [manual](https://example.org/manual)
- second, what the journal says of it
    - what was sent, and where to
    - what came back
1. restart
2. look again
"""
_TABLE = """| host | links live | notes |
|------|-----------:|-------|
| one  | 45 minutes | gone  |
| two  | years      | `@800w.webp` works |
"""
_QUOTE = "> 数据无价。备份有数。\n> Keep two copies, one of them elsewhere.\n"


def post(number: int, pictures: int = 5) -> str:
    """A post of some 10 kB with a front matter and so many pictures more."""
    chance = random.Random(number)
    head = f"title: 第 {number} 篇\ndate: 2024-03-05\ntags: [a, b]\ncover: /img/{number}/0.png\n"
    parts = [f"---\n{head}---\n"]
    for n in range(25):
        parts.append(f"## 第 {n} 节 part {n}\n" if n % 5 == 0 else "")
        parts.append(_paragraph(chance) + "\n")
        parts.append(chance.choice(("", "", _CODE, _LIST, _TABLE, _QUOTE)))
        if n % 5 == 2 and n // 5 < pictures:
            parts.append(f"![图 {n}](/img/{number}/{n}.png)\n")
    return "\n".join(part for part in parts if part)


def _paragraph(chance: random.Random) -> str:
    return "".join(chance.choice((_CHINESE, _ENGLISH)) for _ in range(chance.randint(1, 5)))


def bench_posts(root: Path) -> Iterator[Row]:
    """How fast posts are scanned, and rewritten from file to file, flushed to the disk."""
    posts = [post(n) for n in range(_POSTS)]
    size_mb = sum(len(text.encode()) for text in posts) / 1e6
    pictures = sum(len(scan(text).references) for text in posts)
    rate = size_mb / median_s(lambda: [scan(text) for text in posts], _RUNS)
    yield Row(
        f"scan {len(posts)} posts, {size_mb:.1f} MB, {pictures} pictures",
        f"{rate:.0f} MB/s",
        ">= 20 MB/s",
        met=rate >= 20,
    )
    rate = size_mb / median_s(lambda: [scan(text.replace("![", "[")) for text in posts], _RUNS)
    yield Row("  the same without pictures in their texts", f"{rate:.0f} MB/s")
    paths = [root / f"{n}.md" for n in range(len(posts))]
    for path, text in zip(paths, posts, strict=True):
        path.write_text(text)
    rate = size_mb / median_s(lambda: _move(paths), _RUNS)
    yield Row("rewrite their files", f"{rate:.1f} MB/s", ">= 1 MB/s", met=rate >= 1)


def _move(paths: list[Path]) -> None:
    for path in paths:
        read = read_post(path)
        found = scan(read.text).references
        links = {one: f"https://img.example/{time.monotonic_ns()}.webp" for one in found}
        write_post(read, rewrite(read.text, links))

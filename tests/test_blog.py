"""Blogs: each generator's pictures are where it looks for them, and settings hold below them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from imghost.errors import ConfigError
from imghost.models import Message
from imghost.posts.blog import Blogs, BlogSettings, blog_settings
from imghost.posts.generators import Generator
from imghost.posts.post import read_post
from imghost.posts.resolving import typora_root, without_template
from imghost.posts.scan import scan
from tests.fakes.growth import is_linear


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder."""
    root = tmp_path / "blog"
    root.mkdir()
    return root


def made(root: Path, *names: str) -> None:
    """Files with these names, and folders for those that end with a slash."""
    for name in names:
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")


def resolved(root: Path, post: str, text: str) -> list[str | None]:
    """Where the pictures of a post are: files from the root on, URLs, None for neither."""
    path = root / post
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    blog, read = Blogs().of(path), read_post(path)
    found = scan(read.text, blog.front_matter_keys).references
    return [_shown(root, blog.resolve(one, read)) for one in found]


def _shown(root: Path, place: Path | str | Message) -> str | None:
    match place:
        case Path():
            return place.relative_to(root).as_posix()
        case str():
            return place
        case Message():
            return None


HEXO = ("_config.yml", "source/_posts/")
HUGO = ("hugo.toml", "content/")
ASTRO = ("astro.config.mjs", "src/content/")
JEKYLL = ("_config.yml", "_posts/")
OBSIDIAN = (".obsidian/",)


@pytest.mark.parametrize(
    ("marks", "generator"),
    [
        (HEXO, Generator.HEXO),
        (HUGO, Generator.HUGO),
        (("config.toml", "content/"), Generator.HUGO),
        (("config/_default/",), Generator.HUGO),
        (ASTRO, Generator.ASTRO),
        (JEKYLL, Generator.JEKYLL),
        (OBSIDIAN, Generator.OBSIDIAN),
        (("hugo.yaml", ".obsidian/"), Generator.HUGO),
        (("config.toml",), Generator.NONE),
        ((), Generator.NONE),
    ],
)
def test_generators_are_known_by_their_files(
    root: Path, marks: tuple[str, ...], generator: Generator
) -> None:
    """A post belongs to the generator whose root is around it."""
    made(root, *marks, "a/b/post.md")
    blog = Blogs().of(root / "a" / "b" / "post.md")
    assert blog.generator is generator
    assert blog.root == (root if generator is not Generator.NONE else root / "a" / "b")


@pytest.mark.parametrize(
    ("marks", "post", "text", "picture"),
    [
        (HEXO, "source/_posts/p.md", "![a](/img/a.png)", "source/img/a.png"),
        (HEXO, "source/_posts/p.md", "![a](a.png)", "source/_posts/p/a.png"),
        (HEXO, "source/_posts/p.md", "![a](p/a.png)", "source/_posts/p/a.png"),
        (HEXO, "source/_posts/p.md", "![a](../img/a.png)", "source/img/a.png"),
        (HEXO, "source/_posts/p.md", "![a](img/a.png)", "source/img/a.png"),
        (HEXO, "source/_posts/p.md", "{% asset_img big a.png 300 %}", "source/_posts/p/a.png"),
        (HEXO, "source/_posts/p.md", "{% img /img/a.png %}", "source/img/a.png"),
        (HEXO, "source/_posts/p.md", "![a]({% asset_path a.png %})", "source/_posts/p/a.png"),
        (HEXO, "source/_posts/p.md", "---\nbanner_img: /a.png\n---\n", "source/a.png"),
        (HUGO, "content/posts/p.md", "![a](/img/a.png)", "static/img/a.png"),
        (HUGO, "content/posts/p.md", '{{< figure src="img/a.png" >}}', "static/img/a.png"),
        (HUGO, "content/p/index.md", "![a](a.png)", "content/p/a.png"),
        (HUGO, "content/p/index.md", "![a](images/a.png)", "content/p/images/a.png"),
        (HUGO, "content/p.md", "![a](/img/a.png)", "assets/img/a.png"),
        (HUGO, "content/p.md", "+++\n[cover]\nimage = 'c/a.png'\n+++\n", "assets/c/a.png"),
        (ASTRO, "src/content/p.md", "![a](/a.png)", "public/a.png"),
        (ASTRO, "src/content/p.md", "![a](../assets/a.png)", "src/assets/a.png"),
        (ASTRO, "src/content/p.mdx", "![a](/src/assets/a.png)", "src/assets/a.png"),
        (ASTRO, "src/content/p.md", "---\nimage:\n  url: ./a.png\n---\n", "src/content/a.png"),
        (JEKYLL, "_posts/p.md", "![a](/assets/a.png)", "assets/a.png"),
        (JEKYLL, "_posts/p.md", "![a](assets/a.png)", "assets/a.png"),
        (JEKYLL, "_posts/p.md", "![a]({{ site.baseurl }}/assets/a.png)", "assets/a.png"),
        (JEKYLL, "_posts/p.md", "![a]({{site.url}}{{site.baseurl}}/a.png)", "a.png"),
        (JEKYLL, "_posts/p.md", "![a]({{ '/a b.png' | relative_url }})", "a b.png"),
        (JEKYLL, "_posts/p.md", "<img src='{% link assets/a.png %}'>", "assets/a.png"),
        (OBSIDIAN, "notes/p.md", "![[a.png]]", "deep/down/a.png"),
        (OBSIDIAN, "notes/p.md", "![[DOWN/A.png|300]]", "deep/down/a.png"),
        (OBSIDIAN, "notes/p.md", "![a](a.png)", "deep/down/a.png"),
        (OBSIDIAN, "notes/p.md", "![a](deep/down/a%20b.png)", "deep/down/a b.png"),
        (OBSIDIAN, "notes/p.md", "![a](../deep/a.png)", "deep/a.png"),
        ((), "p.md", "![a](img/a.png)", "img/a.png"),
        ((), "p.md", "![a](./img/../a.png)", "a.png"),
        ((), "p.md", "![[a.png]]", "img/a.png"),
        ((".git/",), "notes/p.md", "![a](/img/a.png)", "img/a.png"),
    ],
)
def test_pictures_are_where_the_generator_looks(
    root: Path, marks: tuple[str, ...], post: str, text: str, picture: str
) -> None:
    """Paths begin where the generator begins them."""
    made(root, *marks, picture)
    assert resolved(root, post, text) == [picture]


@pytest.mark.parametrize(
    ("marks", "said", "picture"),
    [
        (JEKYLL, "title: x\nbaseurl: /blog # below it\n", "img/a.png"),
        (JEKYLL, 'baseurl: "/blog"\n', "blog/img/a.png"),
        (HEXO, "root: /blog/\n", "source/img/a.png"),
        (HUGO, 'baseURL = "https://me.example/blog/"\n', "static/img/a.png"),
        (ASTRO, "export default {\n  base: '/blog',\n}\n", "public/img/a.png"),
    ],
)
def test_paths_may_begin_with_the_path_of_the_site(
    root: Path, marks: tuple[str, ...], said: str, picture: str
) -> None:
    """A site below another one has its own path before those of its pictures."""
    made(root, *marks, picture)
    (root / marks[0]).write_text(said)
    assert resolved(root, f"{marks[1]}p.md", "![a](/blog/img/a.png)") == [picture]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("![a](a%20b.png)", "a b.png"),
        ("![a](<a b.png>)", "a b.png"),
        ("![a](a%20b.png)", "a%20b.png"),
        ("![a](a.png?v=3#top)", "a.png"),
        ("![a](what?.png)", "what?.png"),
        ("![a](%E5%9B%BE.png)", "图.png"),
        ("![a](图🐱.png)", "图🐱.png"),
        (r"![a](img\_a.png)", "img/_a.png"),
        (r"![a](.\img\a.png)", "img/a.png"),
        ("![a](é.png)", unicodedata.normalize("NFD", "é.png")),
        (f"![a]({unicodedata.normalize('NFD', 'é.png')})", "é.png"),
        ("![r]\n\n[r]: <a b.png>", "a b.png"),
        ("<img src='a&amp;b.png'>", "a&b.png"),
    ],
)
def test_names_are_read_as_they_may_be_meant(root: Path, text: str, name: str) -> None:
    """Blanks and accents in all their spellings, queries, and Windows' backslashes are read."""
    made(root, name)
    assert resolved(root, "post.md", text) == [name]


def test_a_whole_path_is_one(root: Path) -> None:
    """A path from the root of this machine names its file, also as a URL."""
    made(root, "pictures/a b.png")
    path = root / "pictures" / "a b.png"
    text = f"![a](<{path}>) ![b](<file://{path}>) ![c](file://{str(path).replace(' ', '%20')})"
    assert resolved(root, "posts/p.md", text) == ["pictures/a b.png"] * 3


@pytest.mark.parametrize("name", ["%5C%5Cevil%5Cs%5Cx.png", "%5C/evil/s/x.png"])
def test_no_post_leads_to_another_machine(root: Path, name: str) -> None:
    """Windows would ask it for a file, and tell it who asks; not below the site's path either."""
    made(root, *HUGO, "static/\\\\evil\\s\\x.png", "static/\\/evil/s/x.png")
    (root / "hugo.toml").write_text('baseURL = "https://me.example/blog/"\n')
    assert resolved(root, "content/p.md", f"![a](/blog/{name})") == [None]


@pytest.mark.parametrize(
    "resolve",
    [
        lambda n: without_template("<{% link" + " " * n + "{>"),
        lambda n: without_template("{{site.a|" * n),
        lambda n: typora_root(f"---\ntypora-root-url: a{' ' * n}b\n---\n", Path()),
        lambda n: typora_root(f"---\ntypora-root-url:{' ' * n}\rx\n---\n", Path()),
    ],
    ids=["link", "site", "Typora", "Typora with CR"],
)
def test_no_path_takes_long(resolve: Callable[[int], object]) -> None:
    """Whatever stands in a template's tag or in the front matter."""
    assert is_linear(resolve)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("{% link a-b.png -%}", "a-b.png"),
        ("{%- asset_path 'a b-' %}", "a b-"),
        ('{{ "/a.png" | relative_url }}', "/a.png"),
        ("{{site.url|upcase-}}/a.png", "/a.png"),
        ("{{ '/a-' }}{% link b.png%}", "/a-b.png"),
    ],
)
def test_what_templates_begin_paths_with(target: str, path: str) -> None:
    """Jekyll's and Hexo's tags are what they stand for, or nothing at the site's root."""
    assert without_template(target) == path


@pytest.mark.parametrize("said", ["//evil/s", "\\\\evil\\s", "/\\evil"])
def test_typora_begins_no_path_on_another_machine(root: Path, said: str) -> None:
    """Whatever a post's front matter says."""
    assert typora_root(f"---\ntypora-root-url: {said}\n---\n", root) is None


@pytest.mark.parametrize(
    "said", ["../pictures", "'../pictures'", '"..\\\\pictures"', "..\\pictures"]
)
def test_typora_begins_paths_where_the_post_says(root: Path, said: str) -> None:
    """`typora-root-url` is the folder of absolute paths, seen from the post."""
    made(root, *HEXO, "source/pictures/a.png", "source/a.png")
    text = f"---\r\ntypora-root-url: {said}\r\n---\r\n![a](/a.png)\r\n"
    assert resolved(root, "source/_posts/p.md", text) == ["source/pictures/a.png"]


def test_obsidian_takes_the_nearest_of_several(root: Path) -> None:
    """Of files with one name that beside the note is meant, else the one nearest to the root."""
    made(root, *OBSIDIAN, "a.png", "x/y/a.png", "x/a.png", ".trash/b.png")
    assert resolved(root, "x/y/p.md", "![[a.png]] ![[x/a.png]] ![[b.png]]") == [
        *("x/y/a.png", "x/a.png", None)
    ]
    assert resolved(root, "z/p.md", "![[a.png]]") == ["a.png"]


def test_a_vault_may_be_a_part_of_a_blog(root: Path) -> None:
    """Notes in a vault that a generator makes pages of have the pictures of both."""
    made(root, *HUGO, "content/.obsidian/", "static/a.png", "content/files/b.png")
    assert resolved(root, "content/p.md", "![a](/a.png) ![[b.png]]") == [
        *("static/a.png", "content/files/b.png")
    ]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("![a](https://x.example/a%20b.png@800w.webp)", "https://x.example/a%20b.png@800w.webp"),
        ("![a](HTTP://x.example/a.png)", "HTTP://x.example/a.png"),
        ("<img src='//x.example/a.png'>", "https://x.example/a.png"),
    ],
)
def test_a_web_address_is_one(root: Path, text: str, url: str) -> None:
    """Pictures that others host are URLs, as they are written."""
    assert resolved(root, "p.md", text) == [url]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("no.png", "there is no file no.png"),
        ("img", "there is no file img"),
        ("a" * 4000, "there is no file"),
        ("ftp://x/a.png", "neither a file nor a web address"),
        ("{{ page.cover }}", "for a template to fill in"),
        ("\\\\server\\a.png", "there is no file"),
    ],
)
def test_what_is_nowhere_is_said(root: Path, target: str, words: str) -> None:
    """A picture that is neither file nor URL comes with the reason."""
    made(root, "img/")
    (root / "p.md").write_text(f"![a]({target})")
    post = read_post(root / "p.md")
    (found,) = scan(post.text).references
    place = Blogs().of(post.path).resolve(found, post)
    assert isinstance(place, Message)
    assert words in str(place)


def test_settings_hold_below_their_folder(root: Path) -> None:
    """The nearest `.imghost.json` says where more pictures are, and which keys name them."""
    made(root, "pictures/a.png", "more/b.png", "more/sub/p.md")
    settings = {"roots": ["pictures"], "front_matter": ["hero.src"], "host": "local"}
    (root / ".imghost.json").write_text(json.dumps(settings))
    assert blog_settings(root / "more" / "sub" / "p.md") == BlogSettings(
        ("pictures",), ("hero.src",), "local"
    )
    text = "---\nhero:\n  src: /a.png\n---\n![b](/more/b.png)\n"
    assert resolved(root, "more/sub/p.md", text) == ["pictures/a.png", "more/b.png"]
    (root / "more" / ".imghost.json").write_text("{}")
    assert blog_settings(root / "more" / "sub" / "p.md") == BlogSettings()
    assert blog_settings(root / "p.md").host == "local"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"root": []}', "unknown key root; did you mean roots?"),
        ('{"front_matter": ["a."]}', "front_matter.0 must be a name"),
        ('{"token": "x"}', "unknown key token; known are roots, front_matter, host, bucket, style"),
        ('{"roots": "a"}', "roots must be a list in brackets"),
        ('{"roots": [1]}', "roots.0 must be a text in quotes"),
        ('{"host": 1}', "host must be a text in quotes"),
        ('{"style": "@9x"}', "9x"),
        ("[]", "must hold an object in braces"),
        ("{", "is not JSON"),
    ],
)
def test_bad_settings_are_named(root: Path, text: str, words: str) -> None:
    """A mistake in `.imghost.json` is told with the file and the nearest key; no secrets in it."""
    path = root / ".imghost.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Blogs().of(root / "p.md")
    assert words in str(caught.value)
    assert str(path) in str(caught.value)

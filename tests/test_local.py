"""The embedded host: files that are whole, and names that lead nowhere else."""

from __future__ import annotations

import os
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost.dirs import Dirs
from imghost.errors import HostRefused, HostUnavailable
from imghost.hosts.base import Outside
from imghost.hosts.local import LocalConfig, LocalHost, find_file
from imghost.imaging.check import Caps, check
from imghost.models import Image
from imghost.transport import Http
from tests.fakes.pictures import animation, png

BASE_URL = "http://127.0.0.1:36677"


@pytest.fixture
def host(dirs: Dirs) -> LocalHost:
    """The host with its folder in the temporary home."""
    return host_in(dirs)


def host_in(dirs: Dirs, public_url: str = "") -> LocalHost:
    """The host with this configured address."""
    outside = Outside(Http(timeout_s=1), BASE_URL, dirs.local, dirs.tmp / "test")
    return LocalHost(LocalConfig(public_url=public_url), outside)


def picture(data: bytes | None = None) -> Image:
    """A checked image."""
    return check(data or png(), "a.png", Caps())


class TestUpload:
    """What is kept."""

    def test_file_and_link_are_named_by_the_hash(self, host: LocalHost, dirs: Dirs) -> None:
        """The bytes stand in a folder per bucket, below their SHA-1; the link says the same."""
        image = picture()
        stored = host.upload(image, "images")
        path = dirs.local / "images" / f"{image.sha1}.png"
        assert path.read_bytes() == image.data
        assert stored.url == f"{BASE_URL}/bfs/images/{image.sha1}.png"
        assert host.find("images", stored.key) == path

    @pytest.mark.parametrize("public_url", ["https://pics.example", "https://pics.example/"])
    def test_public_address_wins(self, dirs: Dirs, public_url: str) -> None:
        """Links lead to the configured address, where others reach the server."""
        stored = host_in(dirs, public_url).upload(picture(), "images")
        assert stored.url == f"https://pics.example/bfs/images/{stored.key}"

    def test_known_image_is_not_written_again(self, host: LocalHost, dirs: Dirs) -> None:
        """The same image again leaves the file that is there alone."""
        stored = host.upload(picture(), "images")
        path = dirs.local / "images" / stored.key
        os.utime(path, (1, 1))
        assert host.upload(picture(), "images") == stored
        assert path.stat().st_mtime == 1

    @pytest.mark.parametrize("spoil", [bytes.upper, lambda data: data[:10], lambda _: b""])
    def test_spoilt_file_is_written_again(self, host: LocalHost, dirs: Dirs, spoil: object) -> None:
        """A file whose bytes were changed or cut is replaced."""
        assert callable(spoil)
        stored = host.upload(picture(), "images")
        path = dirs.local / "images" / stored.key
        path.write_bytes(spoil(path.read_bytes()))
        host.upload(picture(), "images")
        assert path.read_bytes() == picture().data

    def test_files_are_private(self, host: LocalHost, dirs: Dirs) -> None:
        """Nobody else on the machine can read the files, whatever the umask."""
        former = os.umask(0)
        try:
            stored = host.upload(picture(), "images")
        finally:
            os.umask(former)
        path = dirs.local / "images" / stored.key
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0

    def test_animations_are_kept_as_they_are(self, host: LocalHost) -> None:
        """A GIF is taken: every browser shows it."""
        assert host.upload(picture(animation()), "images").key.endswith(".gif")
        assert host.limits.formats == {"png", "jpeg", "webp", "gif", "avif"}

    @pytest.mark.parametrize(
        "bucket", ["", ".", "..", "a/b", "/etc", "a\\b", "a\0b", ".hidden", "ü"]
    )
    def test_bucket_that_leads_elsewhere(self, host: LocalHost, dirs: Dirs, bucket: str) -> None:
        """A bucket that is not a plain name is refused, and nothing is written."""
        with pytest.raises(HostRefused):
            host.upload(picture(), bucket)
        assert not dirs.local.exists()

    def test_disk_that_cannot_write(self, host: LocalHost, dirs: Dirs) -> None:
        """What the disk does not take is to be tried again: the image is safe elsewhere."""
        dirs.data.mkdir(parents=True)
        dirs.local.write_bytes(b"a file stands where the folder should be")
        with pytest.raises(HostUnavailable, match="could not be written"):
            host.upload(picture(), "images")


class TestDelete:
    """What is taken away."""

    def test_file_is_gone(self, host: LocalHost, dirs: Dirs) -> None:
        """A deleted image's file is gone; deleting it again is fine."""
        stored = host.upload(picture(), "images")
        host.delete(stored)
        host.delete(stored)
        assert host.find("images", stored.key) is None
        assert not list((dirs.local / "images").iterdir())


HOSTILE = st.one_of(
    st.text(),
    st.text(string.hexdigits + "./\\%~ "),
    st.sampled_from(
        ["..", "../images", "%2e%2e", "images/..", "images\0", "/etc", "C:", "con", ""]
    ),
)


class TestFind:
    """Who asks for a file."""

    @pytest.mark.parametrize(
        "name",
        [
            *("../canary", "..%2fcanary", "%2e%2e%2fcanary", "%252e%252e/canary", "..\\canary"),
            *("canary", "/canary", "{sha1}.PNG", "{sha1}.png\0", "{sha1}.png/", "{sha1}.svg"),
            *("./{sha1}.png", "{sha1}", "{sha1}.png ", "{sha1}.png\n", ""),
        ],
    )
    def test_other_names(self, host: LocalHost, dirs: Dirs, name: str) -> None:
        """Only a name that the host gave is found, letter by letter."""
        stored = host.upload(picture(), "images")
        (dirs.local / "canary").write_bytes(b"secret")
        (dirs.local / "images" / "canary").write_bytes(b"secret")
        assert host.find("images", name.format(sha1=stored.key[:40])) is None

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(bucket=HOSTILE, name=HOSTILE)
    def test_random_names(self, bucket: str, name: str, tmp_path: Path) -> None:
        """No bucket and no name lead out of the folder, or raise."""
        found = find_file(tmp_path, bucket, name)
        assert found is None or tmp_path in found.parents

    def test_link_of_that_name(self, host: LocalHost, dirs: Dirs) -> None:
        """A link to elsewhere is not followed: the host makes none."""
        stored = host.upload(picture(), "images")
        secret = dirs.local / "secret"
        secret.write_bytes(b"secret")
        (dirs.local / "images" / f"{'0' * 40}.png").symlink_to(secret)
        assert host.find("images", f"{'0' * 40}.png") is None
        assert host.find("images", stored.key)

    def test_folder_of_that_name(self, host: LocalHost, dirs: Dirs) -> None:
        """A folder is no file."""
        (dirs.local / "images" / f"{'0' * 40}.png").mkdir(parents=True)
        assert host.find("images", f"{'0' * 40}.png") is None

"""Downloads from a real HTTP server on loopback that misbehaves on request."""

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dsprep.importers import Archive
from dsprep.manifests import FetchError, silent
from dsprep.pipeline import fetch as module
from dsprep.pipeline.fetch import fetch

CONTENT = bytes(range(256)) * 2000


class Server(ThreadingHTTPServer):
    """Serves `content`; breaks off after `cuts[i]` bytes of the i-th answer."""

    content = CONTENT
    tag = '"one"'
    cuts: list[int]
    ranges = True
    status = 200
    kind = "application/gzip"
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        server.asked.append(self.headers.get("Range", ""))
        same = self.headers.get("If-Range") == server.tag
        start = int(wanted[1]) if wanted and server.ranges and same else 0
        if start > len(server.content):
            self.send_error(416)
            return
        if server.status != 200:
            self.send_error(server.status)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        self.send_header("Content-Length", str(len(server.content) - start))
        self.send_header("Content-Type", server.kind)
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        end = start + server.cuts.pop(0) if server.cuts else len(server.content)
        self.wfile.write(server.content[start:end])
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)
    with Server(("127.0.0.1", 0), Handler) as served:
        served.cuts, served.asked = [], []
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def archive(server: Server, content: bytes = CONTENT) -> Archive:
    host, port = server.server_address[:2]
    digest = hashlib.sha256(content).hexdigest()
    return Archive(url=f"http://{host!s}:{port}/dev.tar.gz", bytes=len(content), digest=f"sha256:{digest}")


def test_a_file_arrives_whole_and_is_not_fetched_twice(server: Server, tmp_path: Path) -> None:
    path = fetch(archive(server), tmp_path, silent)
    assert path.read_bytes() == CONTENT
    assert fetch(archive(server), tmp_path, silent) == path
    assert len(server.asked) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["dev.tar.gz", "dev.tar.gz.json"]


def test_a_broken_connection_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000, 1, 200_000]
    assert fetch(archive(server), tmp_path, silent).read_bytes() == CONTENT
    # Of each broken answer the whole blocks of 64 KiB are kept.
    assert server.asked == ["", "bytes=65536-", "bytes=65536-", "bytes=262144-"]


def test_an_interrupted_run_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000]
    calls = 0

    def stop(stage: str, done: int, total: int, unit: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(archive(server), tmp_path, stop)
    assert not (tmp_path / "dev.tar.gz").exists()
    assert fetch(archive(server), tmp_path, silent).read_bytes() == CONTENT
    assert server.asked[-1].startswith("bytes=")


def test_a_server_that_ignores_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.cuts, server.ranges = [100_000], False
    assert fetch(archive(server), tmp_path, silent).read_bytes() == CONTENT


def test_a_file_that_changed_is_never_mixed_with_its_former_self(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000]
    changed = CONTENT[::-1]

    def change(stage: str, done: int, total: int, unit: str) -> None:
        server.content, server.tag = changed, '"two"'

    assert fetch(archive(server, changed), tmp_path, change).read_bytes() == changed


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_without_a_strong_tag_it_starts_over(server: Server, tmp_path: Path, tag: str) -> None:
    server.cuts, server.tag = [100_000], tag
    assert fetch(archive(server), tmp_path, silent).read_bytes() == CONTENT
    assert server.asked == ["", ""]


def test_other_bytes_than_the_published_are_not_kept(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="published is"):
        fetch(archive(server, CONTENT[::-1]), tmp_path, silent)
    assert not (tmp_path / "dev.tar.gz").exists()


def test_another_length_than_the_published_is_told_before_anything_is_read(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"is 512000 bytes, published are 3"):
        fetch(archive(server, b"abc"), tmp_path, silent)


def test_a_page_instead_of_a_file_is_told(server: Server, tmp_path: Path) -> None:
    server.kind = "text/html"
    with pytest.raises(FetchError, match="sends a web page"):
        fetch(archive(server), tmp_path, silent)


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_refusal_is_told(server: Server, tmp_path: Path, status: int) -> None:
    server.status = status
    with pytest.raises(FetchError, match=f"answers {status}"):
        fetch(archive(server), tmp_path, silent)


def test_a_server_that_never_gets_on_is_given_up(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000] + [0] * 20
    with pytest.raises(FetchError, match="broke off 5 times at byte 65536"):
        fetch(archive(server), tmp_path, silent)


def test_nobody_there_is_told(tmp_path: Path, server: Server) -> None:
    nobody = Archive(url="http://127.0.0.1:9/dev.tar.gz", bytes=None, digest="")
    with pytest.raises(FetchError, match="cannot reach"):
        fetch(nobody, tmp_path, silent)


def test_more_than_there_is_starts_over(server: Server, tmp_path: Path) -> None:
    server.cuts = [400_000]

    def shrink(stage: str, done: int, total: int, unit: str) -> None:
        server.content = CONTENT[:1000]

    short = archive(server, CONTENT[:1000])
    unknown = Archive(url=short.url, bytes=None, digest=short.digest)
    assert fetch(unknown, tmp_path, shrink).read_bytes() == CONTENT[:1000]


def test_two_files_of_one_stem_are_each_done(server: Server, tmp_path: Path) -> None:
    """LDC93S1.wav and LDC93S1.txt have a record each."""
    one = archive(server)
    other = Archive(url=one.url.replace(".tar.gz", ".txt"), bytes=one.bytes, digest=one.digest)
    for _ in range(2):
        fetch(one, tmp_path, silent)
        fetch(other, tmp_path, silent)
    assert len(server.asked) == 2

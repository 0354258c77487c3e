"""Samples read from a web server that knows ranges, that does not, and that misbehaves."""

import contextlib
import hashlib
import re
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dsprep.manifests import DataError, DsprepError, FetchError, Sample
from dsprep.pipeline.cloud.store import Changed, Passing, store_of
from dsprep.pipeline.places import Cache, Url, manifest_of, url_of
from dsprep.pipeline.reading import Reader
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.tabling import read_table

SECRET = "signature=5ecret"


class Server(ThreadingHTTPServer):
    """Serves a folder."""

    daemon_threads = True
    root: Path
    ranges = True
    tags = True
    wanted_query = ""
    todo: list[str]
    """What goes wrong with the next requests: '' for nothing, a status, 'short', 'slow', 'other range'."""
    asked: list[str]
    redirects: dict[str, str]

    def url(self, path: str) -> Url:
        return url_of(f"http://127.0.0.1:{self.server_port}/{path}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        server = self.server
        path, _, query = self.path.partition("?")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        server.asked.append(f"{self.command} {path} {self.headers.get('Range', '')}".strip())
        fault = server.todo.pop(0) if server.todo else ""
        if path in server.redirects:
            return self.answer(302, {"Location": server.redirects[path]}, b"")
        if fault.isdigit():
            return self.answer(int(fault), {}, b"")
        if fault == "slow":
            time.sleep(1.3)
        if query != server.wanted_query:
            return self.answer(403, {}, b"")
        file = server.root / path.lstrip("/")
        if not file.is_file():
            return self.answer(404, {}, b"")
        data = file.read_bytes()
        fields = {"ETag": f'"{hashlib.md5(data).hexdigest()}"'} if server.tags else {}
        if wanted is None or not server.ranges:
            return self.answer(200, fields, data, fault)
        first, last = int(wanted[1]), min(int(wanted[2]), len(data) - 1)
        if first > last:
            return self.answer(416, {"Content-Range": f"bytes */{len(data)}"}, b"")
        told = first + 1 if fault == "other range" else first
        fields["Content-Range"] = f"bytes {told}-{last}/{len(data)}"
        return self.answer(206, fields, data[first : last + 1], fault)

    do_HEAD = do_GET

    def answer(self, status: int, fields: dict[str, str], data: bytes, fault: str = "") -> None:
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):  # the client has had enough
            if self.command != "HEAD":
                self.wfile.write(data[: len(data) // 2] if fault == "short" else data)
        self.close_connection = fault == "short"

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def local(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("web") / "train"
    shard([digits / "dev-clean.csv"], out, Sharding(shard_bytes=100_000), 0)
    return out


@pytest.fixture
def server(tmp_path: Path, local: Path) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as served:
        served.root, served.todo, served.asked, served.redirects = local.parent, [], [], {}
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def sounds(samples: Sequence[Sample]) -> dict[str, bytes]:
    with Reader() as reader:
        return {one.id: reader.read(one) for one in samples}


@pytest.mark.parametrize("tags", [True, False])
@pytest.mark.parametrize("ranges", [True, False])
def test_the_same_samples_come_as_from_a_folder(
    server: Server, local: Path, cache: Cache, ranges: bool, tags: bool
) -> None:
    server.ranges, server.tags = ranges, tags
    there = read_table([server.url("train")], cache)
    assert sounds(there) == sounds(read_table([local]))
    server.asked.clear()
    assert sounds(there) == sounds(read_table([local]))
    assert server.asked == []


def test_a_sample_costs_its_own_bytes(server: Server, cache: Cache) -> None:
    samples = read_table([server.url("train")], cache)
    server.asked.clear()
    sounds(samples)
    wanted = {f"GET /train/{one.path.name} bytes={one.offset}-{(one.offset or 0) + one.size - 1}" for one in samples}
    assert set(server.asked) <= wanted


def test_a_file_that_comes_whole_comes_once_for_samples_in_their_order(server: Server, cache: Cache) -> None:
    server.ranges = False
    samples = read_table([server.url("train")], cache)
    server.asked.clear()
    sounds(sorted(samples, key=lambda one: (one.path, one.offset)))
    assert len(server.asked) <= len({one.path for one in samples})


@pytest.mark.parametrize("fault", ["503", "short", "slow", "other range"])
def test_trouble_that_passes_is_not_noticed(server: Server, local: Path, cache: Cache, fault: str) -> None:
    samples = read_table([server.url("train")], cache)
    server.todo = [fault] if fault == "slow" else [fault, "", fault]
    assert sounds(samples) == sounds(read_table([local]))
    assert server.todo == []


def test_trouble_that_stays_is_told(server: Server, cache: Cache) -> None:
    (sample, *_) = read_table([server.url("train")], cache)
    server.todo = ["500"] * 99
    with pytest.raises(
        FetchError, match=rf"^{sample.id}: http://127.0.0.1:\d+/train/.*the server is busy .500., 4 times"
    ):
        sounds([sample])


def test_a_query_goes_along_and_is_never_told(server: Server, cache: Cache, local: Path) -> None:
    server.wanted_query = SECRET
    there = url_of(f"http://127.0.0.1:{server.server_port}/train?{SECRET}")
    samples = read_table([there], cache)
    assert sounds(samples) == sounds(read_table([local]))
    (mark,) = cache.folder.glob("remote/*/.remote.json")
    assert mark.parent.stat().st_mode & 0o077 == 0
    server.wanted_query = "another"
    for one in (there, there / "none.csv"):
        with pytest.raises(DsprepError, match=r"the server refuses it \(403\)") as told:
            manifest_of(one, cache)
        assert "5ecret" not in str(told.value)
    server.shutdown()
    server.socket.close()
    for one in (there, there / "none.csv"):
        with pytest.raises(FetchError, match="cannot be reached") as told:
            manifest_of(one, cache)
        assert "5ecret" not in str(told.value)


def test_redirects_are_followed_and_none_leads_to_another_kind(server: Server, cache: Cache, local: Path) -> None:
    server.redirects["/moved/train.csv"] = "/train/manifest.csv"
    (local.parent / "moved").mkdir(exist_ok=True)
    assert manifest_of(server.url("moved/train.csv"), cache).read_bytes() == (local / "manifest.csv").read_bytes()
    server.redirects["/moved/train.csv"] = "file:///etc/passwd"
    with pytest.raises(FetchError, match="redirects to 'file:///etc/passwd'; copy the data to this machine"):
        manifest_of(server.url("moved/train.csv"), cache)


def test_what_is_not_there_is_told(server: Server, cache: Cache) -> None:
    with pytest.raises(DataError, match=r"is no shard folder: it holds no manifest\.csv"):
        manifest_of(server.url("none"), cache)
    with pytest.raises(DataError, match=r"none\.csv: it is not there"):
        manifest_of(server.url("none.csv"), cache)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_is_replaced_while_it_is_read_is_noticed(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.root, server.ranges = tmp_path, ranges
    (tmp_path / "x").write_bytes(bytes(range(100)))
    url = server.url("x")
    file = store_of(url, Cache(folder=tmp_path).patience).open(url)
    assert file.read(50, 10) == bytes(range(50, 60))
    assert file.read(95, 10) == bytes(range(95, 100))
    assert file.read(200, 10) == b""
    (tmp_path / "x").write_bytes(bytes(100))
    with pytest.raises(Changed):
        file.read(10, 10)
    file.close()


def test_other_bytes_than_were_asked_for_are_not_taken(server: Server, tmp_path: Path) -> None:
    server.root, server.todo = tmp_path, ["other range"]
    (tmp_path / "x").write_bytes(bytes(range(100)))
    with contextlib.closing(store_of(server.url("x"), Cache(folder=tmp_path).patience).open(server.url("x"))) as file:
        with pytest.raises(Passing, match="it sends other bytes than were asked for"):
            file.read(50, 10)
        assert file.read(50, 10) == bytes(range(50, 60))

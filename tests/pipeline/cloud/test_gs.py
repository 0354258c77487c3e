"""The same through gcsfs, against as much of Google's JSON API as it asks for, kept in memory."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from dsprep.manifests import DataError, FetchError
from dsprep.pipeline.cloud.remote_shelf import RemoteShelf
from dsprep.pipeline.cloud.store import Changed, store_of
from dsprep.pipeline.places import Cache, url_of
from dsprep.pipeline.reading import Reader
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.tabling import read_table

pytest.importorskip("gcsfs", reason="gcsfs is not installed")
HOME = url_of("gs://speech/train")
PLACE = re.compile(r"/(?P<way>(upload/|download/)?)storage/v1/b/(?P<bucket>[^/]+)/o(/(?P<name>.+))?")


class Google(ThreadingHTTPServer):
    """The bucket `speech`."""

    daemon_threads = True
    objects: dict[str, tuple[bytes, int]]
    """Content and generation by name."""
    generation = 1000
    uploads: dict[str, tuple[str, bytes]]
    parts = 0
    """Of files that came in several."""
    statuses: list[int]
    """Answered in turn before anything else."""

    def described(self, name: str) -> dict[str, Any]:
        data, generation = self.objects[name]
        return {
            "kind": "storage#object",
            "name": name,
            "bucket": "speech",
            "size": str(len(data)),
            "generation": str(generation),
            "updated": "2026-01-01T00:00:00.000Z",
            "timeCreated": "2026-01-01T00:00:00.000Z",
        }

    def write(self, name: str, data: bytes) -> dict[str, Any]:
        self.generation += 1
        self.objects[name] = (data, self.generation)
        return self.described(name)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Google

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.statuses:
            return self._answer(self.server.statuses.pop(0), {"error": {"message": "not now"}})
        place = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        match = re.fullmatch(
            r"/(?P<way>(upload/|download/)?)storage/v1/b/(?P<bucket>[^/]+)/o(/(?P<name>.+))?", place.path
        )
        if match is None or match["bucket"] != "speech":
            return self._answer(404, {"error": {"message": "The specified bucket does not exist."}})
        if match["way"] == "upload/":
            return self._upload(query, body)
        if match["name"] is None:
            return self._list(query.get("prefix", ""))
        return self._object(unquote(match["name"]), query)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _list(self, prefix: str) -> None:
        names = sorted(name for name in self.server.objects if name.startswith(prefix))
        self._answer(200, {"kind": "storage#objects", "items": [self.server.described(name) for name in names]})

    def _object(self, name: str, query: dict[str, str]) -> None:
        data, generation = self.server.objects.get(name, (b"", 0))
        if not generation or query.get("generation", str(generation)) != str(generation):
            return self._answer(404, {"error": {"message": "No such object"}})
        if self.command == "DELETE":
            del self.server.objects[name]
            return self._answer(204, b"")
        if query.get("alt") != "media":
            return self._answer(200, self.server.described(name))
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        return self._answer(*((206, data[int(wanted[1]) : int(wanted[2]) + 1]) if wanted else (200, data)))

    def _upload(self, query: dict[str, str], body: bytes) -> None:
        if query["uploadType"] == "multipart":
            boundary = b"\n" + body.split(b"\n", 1)[0].strip()
            told, content = (part.split(b"\n\n", 1)[1] for part in (b"\n" + body).split(boundary)[1:3])
            return self._answer(200, self.server.write(json.loads(told)["name"], content))
        if "upload_id" not in query:
            number = str(len(self.server.uploads))
            self.server.uploads[number] = (json.loads(body)["name"], b"")
            home = f"http://127.0.0.1:{self.server.server_port}{urlsplit(self.path).path}"
            return self._answer(200, {}, {"Location": f"{home}?uploadType=resumable&upload_id={number}"})
        self.server.parts += 1
        name, before = self.server.uploads[query["upload_id"]]
        self.server.uploads[query["upload_id"]] = (name, before + body)
        if not self.headers["Content-Range"].endswith(f"/{len(before + body)}"):
            return self._answer(308, {}, {"Range": f"bytes=0-{len(before + body) - 1}"})
        return self._answer(200, self.server.write(name, before + body))

    def _answer(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with Google(("127.0.0.1", 0), Handler) as server:
        server.objects, server.uploads, server.statuses = {}, {}, []
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("NO_GCE_CHECK", "true")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_is_written_is_read_back(google: Google, digits: Path, cache: Cache, tmp_path: Path, make: Any) -> None:
    places, sharding = [digits / "dev-clean.csv"], Sharding(shard_bytes=100_000)
    shard(places, tmp_path / "out", sharding, 0)
    shard(places, RemoteShelf(HOME, cache), sharding, 0)
    there = {name.removeprefix("train/"): data for name, (data, _) in google.objects.items()}
    assert there == make.tree(tmp_path / "out")
    with Reader() as reader:
        for one, other in zip(read_table([HOME], cache), read_table([tmp_path / "out"]), strict=True):
            assert reader.read(one) == reader.read(other)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # gcsfs hands aiohttp the part as bytes
def test_large_shards_go_in_parts(google: Google, cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * (40 << 12))
    store_of(HOME, cache.patience).put(HOME / "large", tmp_path / "large")
    assert google.objects["train/large"][0] == (tmp_path / "large").read_bytes()
    assert len(google.uploads) == 1
    assert google.parts == 3


def test_what_is_replaced_while_it_is_read_is_noticed(google: Google, cache: Cache) -> None:
    store = store_of(HOME, cache.patience)
    store.put(HOME / "x", bytes(range(100)))
    file = store.open(HOME / "x")
    assert file.read(10, 5) == bytes(range(10, 15))
    store.put(HOME / "x", bytes(100))
    with pytest.raises(Changed):
        file.read(20, 5)
    file.close()


def test_what_is_not_there_or_not_ours_is_told(google: Google, cache: Cache) -> None:
    with pytest.raises(DataError, match="gs://speech/train is no shard folder"):
        read_table([HOME], cache)
    with pytest.raises(DataError, match=r"gs://none/x\.csv: it is not there"):
        read_table([url_of("gs://none/x.csv")], cache)
    google.statuses = [403] * 9
    with pytest.raises(FetchError, match=r"gs://speech/train/manifest\.csv: the store refuses it .Forbidden: "):
        read_table([HOME], cache)

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

from dsprep.pipeline.cloud.remote_shelf import RemoteShelf
from dsprep.pipeline.places import Cache, url_of
from dsprep.pipeline.reading import Reader
from dsprep.pipeline.samples import read_samples
from dsprep.pipeline.sharding import shard
from dsprep.pipeline.shards import Sharding

pytest.importorskip("gcsfs", reason="gcsfs is not installed")
HOME = url_of("gs://speech/train")


class Google(ThreadingHTTPServer):
    """The bucket `speech`."""

    daemon_threads = True
    objects: dict[str, tuple[bytes, int]]
    """Content and generation by name."""
    generation = 1000
    uploads: dict[str, tuple[str, bytes]]
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
            head, rest = body.split(b"\r\n\r\n", 1) if b"\r\n\r\n" in body else body.split(b"\n\n", 1)
            boundary = body.split(b"\n", 1)[0].strip()
            told, rest = rest.split(b"\n" + boundary, 1)
            content = re.split(rb"\r?\n\r?\n", rest, maxsplit=1)[1]
            content = content[: content.rindex(b"\n" + boundary)]
            return self._answer(200, self.server.write(json.loads(told)["name"], content))
        if self.command == "POST":
            number = str(len(self.server.uploads))
            self.server.uploads[number] = (json.loads(body)["name"], b"")
            home = f"http://127.0.0.1:{self.server.server_port}{urlsplit(self.path).path}"
            return self._answer(200, {}, {"Location": f"{home}?uploadType=resumable&upload_id={number}"})
        name, before = self.server.uploads[query["upload_id"]]
        self.server.uploads[query["upload_id"]] = (name, before + body)
        if self.headers["Content-Range"].endswith("/*"):
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
        for one, other in zip(read_samples([HOME], cache), read_samples([tmp_path / "out"]), strict=True):
            assert reader.read(one) == reader.read(other)

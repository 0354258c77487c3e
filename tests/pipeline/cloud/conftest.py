"""A bucket on this machine: moto's S3 server, and in front of it a proxy that puts faults in on request."""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dsprep.pipeline.fetching.access import Patience
from dsprep.pipeline.places import Cache

PATIENCE = Patience(attempts=4, pause_seconds=0.01, longest_pause_seconds=0.1, timeout_seconds=1)
BUCKET = "speech"
HOP = {"connection", "transfer-encoding", "keep-alive", "date", "server"}


@dataclass
class Faults:
    """What goes wrong next, in the order given, with requests of a method."""

    methods: tuple[str, ...] = ("GET", "HEAD", "PUT", "POST")
    todo: list[str] = field(default_factory=list)
    """Of each request: '' for none, a status, 'drop', 'short', 'flip' or 'slow'."""
    asked: list[str] = field(default_factory=list)
    """Method, path and range of each request."""

    def next(self, method: str) -> str:
        return self.todo.pop(0) if self.todo and method in self.methods else ""


class Proxy(ThreadingHTTPServer):
    """Passes requests on to another server of this machine."""

    daemon_threads = True

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target, self.faults = target, Faults()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Proxy

    def _pass(self) -> None:
        faults = self.server.faults
        faults.asked.append(f"{self.command} {self.path} {self.headers.get('Range', '')}".strip())
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = faults.next(self.command)
        if fault.isdigit():
            return self._answer(int(fault), {}, b"")
        if fault == "drop":
            self.close_connection = True
            return None
        if fault == "slow":
            time.sleep(PATIENCE.timeout_seconds + 0.5)
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=10)
        upstream.request(self.command, self.path, body, dict(self.headers))
        with upstream.getresponse() as answer:
            data, headers = answer.read(), dict(answer.getheaders())
        upstream.close()
        if fault == "flip":
            data = bytes([data[0] ^ 1]) + data[1:]
        return self._answer(answer.status, headers, data, short=fault == "short")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass

    def _answer(self, status: int, headers: dict[str, str], data: bytes, *, short: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in HOP | {"content-length"}:
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client has had enough
                self.wfile.write(data[: len(data) // 2] if short else data)
        self.close_connection = self.close_connection or short

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def _moto() -> Iterator[int]:
    moto = pytest.importorskip("moto.server", reason="moto is not installed: no S3 server to test against")
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    from werkzeug.serving import WSGIRequestHandler

    # It sends head and body apart; without this the second waits 40 ms for the first one's acknowledgement.
    WSGIRequestHandler.disable_nagle_algorithm = True
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture(scope="session")
def _proxy(_moto: int) -> Iterator[Proxy]:
    with Proxy(_moto) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()


@pytest.fixture
def s3(_proxy: Proxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Proxy]:
    """The store of `s3://speech/`, empty; faults are put into `s3.faults`."""
    _proxy.faults = Faults()
    for name, value in (
        ("AWS_ENDPOINT_URL", _proxy.url),
        ("AWS_ACCESS_KEY_ID", "one"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", str(tmp_path / "no-config")),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    upstream = http.client.HTTPConnection("127.0.0.1", _proxy.target, timeout=10)
    for method, path in (("POST", "/moto-api/reset"), ("PUT", f"/{BUCKET}")):
        upstream.request(method, path)
        upstream.getresponse().read()
    upstream.close()
    yield _proxy
    _proxy.faults = Faults()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(folder=tmp_path / "cache", patience=PATIENCE)

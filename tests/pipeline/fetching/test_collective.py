"""Mozilla Data Collective, played by two real HTTP servers on loopback: the API, and the storage it points to."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dsprep.manifests import FetchError, UsageError, silent
from dsprep.pipeline.fetching.access import Access, Patience
from dsprep.pipeline.fetching.collective import offer
from dsprep.pipeline.fetching.fetch import local

KEY = "a-key-that-is-nobodys-business"
ID = "cminc35no007no707hql26lzk"
CONTENT = b"\x1f\x8b" + bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
BASE64 = base64.b64encode(bytes.fromhex(SHA256)).decode()
NAME = "cv-corpus-23.0-2025-09-05-br.tar.gz"
PATIENCE = Patience(attempts=4, pause_seconds=0.001, longest_pause_seconds=2, timeout_seconds=1)


class World:
    """What the two servers share and what they were told."""

    def __init__(self) -> None:
        self.agreed = True
        self.uses = 100
        """Requests for which a signed URL is good."""
        self.expired = 403
        """What the storage answers after them: S3 says 403, Google 400."""
        self.left: dict[str, int] = {}
        """Of the signatures given out, how many requests each is still good for."""
        self.cuts: list[int] = []
        """After how many bytes the storage breaks off."""
        self.content = CONTENT
        self.answer: dict[str, Any] = {"filename": NAME, "sizeBytes": len(CONTENT), "checksum": f"sha256:{SHA256}"}
        self.statuses: list[tuple[int, dict[str, str], bytes]] = []
        """What the API answers before anything else."""
        self.calls: list[str] = []
        self.stored: list[tuple[str, str | None]] = []
        """Range and Authorization of each request to the storage."""
        self.storage = ""
        self.api = ""


class Handler(BaseHTTPRequestHandler):
    world: World

    def send(self, status: int, fields: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in ({"Content-Length": str(len(body))} | fields).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


class Api(Handler):
    """POST /api/datasets/ID/download with a key, GET /api/datasets/ID without."""

    def do_POST(self) -> None:
        world = self.world
        world.calls.append(f"POST {self.path}")
        if world.statuses:
            return self.send(*world.statuses.pop(0))
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self.say(401, {"message": f"unknown key {self.headers.get('Authorization')}"})
        if self.path != f"/api/datasets/{ID}/download":
            return self.say(404, {"error": "Not found"})
        if not world.agreed:
            return self.say(403, {"message": "You must agree to the terms"})
        signature = f"signature{len(world.left)}"
        world.left[signature] = world.uses
        return self.say(
            200, {"downloadUrl": f"{world.storage}/x?sig={signature}", "expiresAt": "2026-01-01"} | world.answer
        )

    def do_GET(self) -> None:
        self.world.calls.append(f"GET {self.path} {self.headers.get('Authorization')}")
        self.say(200, {"id": ID, "filename": NAME})

    def say(self, status: int, value: object) -> None:
        self.send(status, {"Content-Type": "application/json"}, json.dumps(value).encode())


class Storage(Handler):
    """A file behind signed URLs, with ranges."""

    def do_GET(self) -> None:
        world = self.world
        world.stored.append((self.headers.get("Range", ""), self.headers.get("Authorization")))
        signature = parse_qs(urlsplit(self.path).query).get("sig", [""])[0]
        if world.left.get(signature, 0) <= 0:
            return self.send(world.expired, {"Content-Type": "application/xml"}, b"<Error>Request has expired</Error>")
        world.left[signature] -= 1
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        fields = {"ETag": '"one"', "Content-Length": str(len(world.content) - start)}
        if start:
            fields["Content-Range"] = f"bytes {start}-{len(world.content) - 1}/{len(world.content)}"
        end = start + world.cuts.pop(0) if world.cuts else None
        return self.send(206 if start else 200, fields, world.content[start:end])


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    with ExitStack() as stack:
        for handler in (Api, Storage):
            bound = type(handler.__name__, (handler,), {"world": world})
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), bound))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            # The storage is another host by its name, as it is in the world.
            setattr(world, handler.__name__.lower(), f"http://localhost:{server.server_port}")
        world.api = world.api.replace("localhost", "127.0.0.1") + "/api"
        yield world


def fetched(world: World, folder: Path, key: str = KEY, dataset: str = ID) -> Path:
    access = Access(mdc_key=key, mdc_api=world.api, patience=PATIENCE)
    return local((), [f"mdc:{dataset}"], folder, silent, access)[0]


def asked(world: World) -> str:
    """What is said of an answer of the API that is not taken."""
    with pytest.raises(FetchError) as error:
        offer(ID, KEY, world.api, PATIENCE)
    return str(error.value)


def test_an_offer_says_all_that_the_api_does(world: World) -> None:
    found = offer(ID, KEY, world.api, PATIENCE)
    assert (found.name, found.bytes, found.digest) == (NAME, len(CONTENT), f"sha256:{SHA256}")
    assert found.url.startswith(world.storage)
    assert "signature" not in repr(found)


def test_a_dataset_arrives_whole(world: World, tmp_path: Path) -> None:
    path = fetched(world, tmp_path)
    assert path == tmp_path / NAME
    assert path.read_bytes() == CONTENT
    assert sorted(one.name for one in tmp_path.iterdir()) == [NAME, f"{NAME}.json", f"mdc-{ID}.json"]


def test_a_dataset_that_is_here_needs_no_key_and_no_network(world: World, tmp_path: Path) -> None:
    path = fetched(world, tmp_path)
    calls = len(world.calls)
    assert fetched(world, tmp_path, key="") == path
    assert len(world.calls) == calls


def test_a_dataset_that_went_missing_is_fetched_again(world: World, tmp_path: Path) -> None:
    fetched(world, tmp_path).unlink()
    assert fetched(world, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("expired", [400, 401, 403, 404, 410])
def test_a_url_that_expires_on_the_way_is_asked_for_anew(world: World, tmp_path: Path, expired: int) -> None:
    world.uses, world.expired, world.cuts = 1, expired, [100_000, 50_000]
    assert fetched(world, tmp_path).read_bytes() == CONTENT
    ranges = [wanted for wanted, _ in world.stored]
    # A request to each URL that has expired, then the same to its successor: nothing is fetched twice.
    assert ranges == ["", *["bytes=100000-"] * 2, *["bytes=150000-"] * 2]
    assert len(world.calls) == 3


def test_a_url_that_expired_between_two_runs_is_no_matter(world: World, tmp_path: Path) -> None:
    world.cuts = [100_000, 0, 0, 0]
    with pytest.raises(FetchError, match="broke off"):
        fetched(world, tmp_path)
    world.left = dict.fromkeys(world.left, 0)
    world.stored.clear()
    assert fetched(world, tmp_path).read_bytes() == CONTENT
    assert [wanted for wanted, _ in world.stored] == ["bytes=100000-"]


def test_a_storage_that_refuses_new_urls_too_is_not_asked_forever(world: World, tmp_path: Path) -> None:
    world.uses = 0
    with pytest.raises(FetchError, match="answers 403"):
        fetched(world, tmp_path)
    assert len(world.stored) == 1


def test_a_dataset_replaced_on_the_way_is_not_mixed(world: World, tmp_path: Path) -> None:
    world.uses, world.cuts = 1, [100_000]
    changed = CONTENT[:2] + CONTENT[:1:-1]

    def replaced(stage: str, done: int, total: int, unit: str) -> None:
        world.content = changed
        world.answer = world.answer | {"checksum": hashlib.sha256(changed).hexdigest()}

    access = Access(mdc_key=KEY, mdc_api=world.api, patience=PATIENCE)
    with pytest.raises(FetchError, match="was replaced"):
        local((), [f"mdc:{ID}"], tmp_path, replaced, access)
    assert fetched(world, tmp_path).read_bytes() == changed


# The key


def test_the_key_goes_to_the_api_alone_and_nowhere_on_disk(world: World, tmp_path: Path) -> None:
    world.uses, world.cuts = 1, [100_000]
    del world.answer["filename"]
    fetched(world, tmp_path)
    assert world.calls.count(f"GET /api/datasets/{ID} None") == 2
    assert {authorization for _, authorization in world.stored} == {None}
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert KEY.encode() not in kept
    assert b"signature" not in kept


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_key_does_not_follow_a_redirect(world: World, tmp_path: Path, status: int) -> None:
    world.statuses = [(status, {"Location": f"{world.storage}/api/datasets/{ID}/download"}, b"")]
    with pytest.raises(FetchError, match="redirects"):
        fetched(world, tmp_path)
    assert not world.stored


def test_a_key_of_netrc_is_not_sent_in_its_place(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert fetched(world, tmp_path / "out").read_bytes() == CONTENT


def test_a_key_that_is_echoed_is_not_shown(world: World, tmp_path: Path) -> None:
    wrong = KEY + "-but-wrong"
    with pytest.raises(FetchError, match=r"answers 401: the API key is not taken.*unknown key Bearer \(key\)") as error:
        fetched(world, tmp_path, key=wrong)
    assert wrong not in str(error.value)
    assert wrong not in repr(Access(mdc_key=wrong))


@pytest.mark.parametrize("key", ["", f"{KEY}\n", f" {KEY}", f"{KEY}ü", "a b"])
def test_a_key_that_is_none_is_told_without_showing_it(world: World, tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError, match="API key") as error:
        fetched(world, tmp_path, key=key)
    assert KEY not in str(error.value)
    assert not world.calls


@pytest.mark.parametrize("base", ["http://example.org/api", "ftp://127.0.0.1/api", "", "//127.0.0.1"])
def test_the_key_is_not_sent_in_the_open(base: str) -> None:
    with pytest.raises(UsageError, match="begins with https://"):
        offer(ID, KEY, base, PATIENCE)


# What the API says


def test_terms_that_are_not_agreed_to_are_told_with_their_page(world: World, tmp_path: Path) -> None:
    world.agreed = False
    with pytest.raises(FetchError, match=rf"answers 403: its terms are not agreed to: open http://\S+/datasets/{ID} "):
        fetched(world, tmp_path)
    assert len(world.calls) == 1


def test_a_dataset_that_is_not_there_is_told(world: World, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"mdc:other answers 404: there is no such dataset.*says: Not found"):
        fetched(world, tmp_path, dataset="other")


@pytest.mark.parametrize("status", [400, 402, 410, 418])
def test_another_refusal_is_told_at_once(world: World, status: int) -> None:
    world.statuses = [(status, {}, b"no JSON")]
    assert f"answers {status}" in asked(world)
    assert len(world.calls) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_trouble_of_the_api_is_waited_for_and_not_forever(world: World, status: int) -> None:
    world.statuses = [(status, {}, b"")] * 3
    assert offer(ID, KEY, world.api, PATIENCE).bytes == len(CONTENT)
    world.statuses = [(status, {}, b"")] * 9
    assert f"the API answers {status}, 4 times" in asked(world)


def test_a_rate_limit_says_how_long_it_lasts(world: World) -> None:
    world.statuses = [(429, {"Retry-After": "3600"}, b"")]
    assert "asks to wait 3600 s" in asked(world)


def test_an_api_that_breaks_off_is_asked_again(world: World) -> None:
    world.statuses = [(200, {"Content-Length": "1000"}, b'{"downl')]
    assert offer(ID, KEY, world.api, PATIENCE).bytes == len(CONTENT)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[" * 100_000, b'{"a": "' + b"x" * (1 << 21) + b'"}'])
def test_an_answer_that_is_no_object_is_told(world: World, body: bytes) -> None:
    world.statuses = [(200, {}, body)]
    assert "something else than a JSON object" in asked(world)


@pytest.mark.parametrize(
    "name",
    [
        "../x.tar.gz",
        "/etc/x.tar.gz",
        "a\\b.zip",
        ".x.tar.gz",
        "..",
        "x",
        "x.exe",
        "x.tar.gz/",
        "a\nb.tar",
        "x" * 250 + ".zip",
        7,
    ],
)
def test_a_file_name_is_a_name_only(world: World, tmp_path: Path, name: object) -> None:
    world.answer["filename"] = name
    with pytest.raises(FetchError, match=r"file called|names a file"):
        fetched(world, tmp_path / "out")
    assert not world.stored
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tgz", "X.TAR.GZ", "Common Voice 23 - Català.tar", "x.zip"])
def test_a_name_of_an_archive_is_taken(world: World, name: str) -> None:
    world.answer["filename"] = name
    assert offer(ID, KEY, world.api, PATIENCE).name == name


@pytest.mark.parametrize("size", [None, 0, -1, "many", 1.5, True, [], 10**20])
def test_a_size_that_is_none_is_told(world: World, size: object) -> None:
    world.answer["sizeBytes"] = size
    assert "gives a size of" in asked(world)


def test_a_size_in_quotes_is_taken(world: World) -> None:
    world.answer["sizeBytes"] = str(len(CONTENT))
    assert offer(ID, KEY, world.api, PATIENCE).bytes == len(CONTENT)


@pytest.mark.parametrize("url", [None, "", 7, "file:///etc/passwd", "//host/x", "ftp://host/x"])
def test_a_url_that_is_none_is_told(world: World, url: object) -> None:
    world.answer["downloadUrl"] = url
    assert "gives no https URL" in asked(world)


@pytest.mark.parametrize(
    "checksum",
    [f"sha256:{SHA256}", SHA256, SHA256.upper(), f"SHA-256:{SHA256}", f"sha256:{BASE64}", BASE64],
)
def test_a_checksum_is_read_in_each_of_its_spellings(world: World, checksum: str) -> None:
    world.answer["checksum"] = checksum
    assert offer(ID, KEY, world.api, PATIENCE).digest == f"sha256:{SHA256}"


@pytest.mark.parametrize("checksum", ["crc32:12345678", f"md5:{SHA256}", "abc-12", "sha256:xyz", 12])
def test_a_checksum_that_cannot_be_checked_is_told(world: World, checksum: object) -> None:
    world.answer["checksum"] = checksum
    assert "gives a checksum" in asked(world)


def test_without_a_checksum_the_size_is_held_to(world: World, tmp_path: Path) -> None:
    del world.answer["checksum"]
    assert fetched(world, tmp_path).read_bytes() == CONTENT
    world.answer["sizeBytes"] = len(CONTENT) - 1
    with pytest.raises(FetchError, match="it is another file"):
        fetched(world, tmp_path / "other")


def test_bytes_that_do_not_match_the_checksum_are_not_kept(world: World, tmp_path: Path) -> None:
    world.content = CONTENT[:-1] + b"!"
    with pytest.raises(FetchError, match="published is"):
        fetched(world, tmp_path)
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("dataset", ["", "..", "a/b", "a?b", "a b", "-a", "x" * 101, "https://x"])
def test_an_id_that_is_none_is_told(world: World, tmp_path: Path, dataset: str) -> None:
    with pytest.raises(UsageError, match="the last part of the address"):
        fetched(world, tmp_path, dataset=dataset)
    assert not world.calls

"""Downloads from a real HTTP server on loopback that misbehaves on request."""

import fcntl
import hashlib
import io
import os
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dsprep.importers import Archive
from dsprep.manifests import FetchError, OutputError, Progress, UsageError, silent
from dsprep.pipeline.fetching import fetch as module
from dsprep.pipeline.fetching.access import Access, Patience
from dsprep.pipeline.fetching.fetch import local

CONTENT = b"\x1f\x8b" + bytes(range(256)) * 2000
"""Begins as a gzip, and is longer than a socket takes at once."""
ACCESS = Access(patience=Patience(attempts=5, pause_seconds=0.001, longest_pause_seconds=2, timeout_seconds=0.3))
OLD = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)


class Server(ThreadingHTTPServer):
    """Serves `content`; breaks off after `cuts[i]` bytes of the i-th answer."""

    daemon_threads = True
    content = CONTENT
    cuts: list[int]
    asked: list[str]
    """Range of each request."""
    encodings: list[str]
    """Accept-Encoding of each request."""
    statuses: list[int]
    """Answered in turn before any content."""
    fields: dict[str, str]
    """Sent in place of the fields of the same name; one that is empty is left out."""
    fields_206: dict[str, str]
    """The same, of answers with a range."""
    ranges = True
    if_range = True
    pause_seconds = 0.0
    """Between pieces of a byte each, if not 0."""
    stalls = 0
    """Answers that stop without an end."""
    redirects: dict[str, str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(self.headers.get("Range", ""))
        server.encodings.append(self.headers.get("Accept-Encoding", ""))
        if target := server.redirects.get(self.path):
            return self.answer(302, {"Location": target, "Content-Length": "0"})
        if server.statuses:
            return self.answer(server.statuses.pop(0), {"Content-Length": "0"} | server.fields)
        start = self.start()
        if start >= len(server.content):
            return self.answer(416, {"Content-Range": f"bytes */{len(server.content)}", "Content-Length": "0"})
        fields = {
            "Content-Length": str(len(server.content) - start),
            "Content-Type": "application/gzip",
            "ETag": '"one"',
        }
        if start:
            fields["Content-Range"] = f"bytes {start}-{len(server.content) - 1}/{len(server.content)}"
        self.answer(206 if start else 200, fields | server.fields | (server.fields_206 if start else {}))
        return self.body(server.content[start : start + server.cuts.pop(0) if server.cuts else None])

    def start(self) -> int:
        """Where the answer's bytes begin in the content."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        known = (self.server.fields.get("ETag", '"one"'), self.server.fields.get("Last-Modified"))
        same = not self.server.if_range or self.headers.get("If-Range") in known
        return int(wanted[1]) if wanted and self.server.ranges and same else 0

    def answer(self, status: int, fields: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in ({"Date": self.date_time_string()} | fields).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.close_connection = True

    def body(self, data: bytes) -> None:
        try:
            if self.server.pause_seconds:
                for byte in data:
                    self.wfile.write(bytes([byte]))
                    time.sleep(self.server.pause_seconds)
            else:
                self.wfile.write(data)
            if self.server.stalls:
                self.server.stalls -= 1
                time.sleep(3)
        except OSError:
            pass  # the client has had enough

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as served:
        served.cuts, served.asked, served.encodings, served.statuses = [], [], [], []
        served.fields, served.fields_206, served.redirects = {}, {}, {}
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def archive(server: Server, content: bytes = CONTENT, name: str = "dev.tar.gz") -> Archive:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Archive(url=f"{address(server)}/{name}", bytes=len(content), digest=digest)


def unknown(server: Server, name: str = "dev.tar.gz") -> Archive:
    return Archive(url=f"{address(server)}/{name}", bytes=None, digest="")


def fetch(archive: Archive, folder: Path, progress: Progress = silent, **patience: float) -> Path:
    return module.fetch(archive, folder, progress, replace(ACCESS, patience=replace(ACCESS.patience, **patience)))  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def arrived(server: Server, folder: Path, size: int) -> None:
    """Interrupt a download when `size` bytes are here."""
    server.cuts = [size]

    def stop(stage: str, done: int, total: int, unit: str) -> None:
        if done == size:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(archive(server), folder, stop)
    server.asked.clear()


# What is kept


def test_a_file_arrives_whole_and_is_not_fetched_twice(server: Server, tmp_path: Path) -> None:
    path = fetch(archive(server), tmp_path)
    assert path.read_bytes() == CONTENT
    assert fetch(archive(server), tmp_path) == path
    assert len(server.asked) == 1
    assert names(tmp_path) == ["dev.tar.gz", "dev.tar.gz.json"]
    assert server.encodings == ["identity"], "what is compressed on its way has neither the size nor the digest"


def test_two_files_of_one_stem_are_each_done(server: Server, tmp_path: Path) -> None:
    """LDC93S1.wav and LDC93S1.txt have a record each."""
    for _ in range(2):
        fetch(archive(server, name="LDC93S1.wav"), tmp_path)
        fetch(archive(server, name="LDC93S1.txt"), tmp_path)
    assert len(server.asked) == 2


def test_the_published_file_put_there_by_hand_is_not_fetched(server: Server, tmp_path: Path) -> None:
    (tmp_path / "dev.tar.gz").write_bytes(CONTENT)
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert not server.asked
    assert names(tmp_path) == ["dev.tar.gz", "dev.tar.gz.json"]


def test_another_file_of_that_name_and_size_is_not_taken_for_it(server: Server, tmp_path: Path) -> None:
    (tmp_path / "dev.tar.gz").write_bytes(CONTENT[::-1])
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT


def test_progress_tells_bytes_of_all_bytes(server: Server, tmp_path: Path) -> None:
    told: list[tuple[str, int, int, str]] = []
    fetch(archive(server), tmp_path, lambda *one: told.append(one))
    assert ("fetching dev.tar.gz", len(CONTENT), len(CONTENT), "B") in told
    assert told[-1] == ("checking dev.tar.gz", len(CONTENT), len(CONTENT), "B")


def test_a_query_is_no_part_of_the_name_and_is_not_shown(server: Server, tmp_path: Path) -> None:
    signed = unknown(server, "dev.tar.gz?signature=secret")
    assert fetch(signed, tmp_path).name == "dev.tar.gz"
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    server.statuses = [404]
    with pytest.raises(FetchError) as error:
        fetch(signed, tmp_path / "other")
    assert "secret" not in str(error.value)


def test_a_password_in_a_url_is_not_shown(server: Server, tmp_path: Path) -> None:
    server.statuses = [404]
    url = archive(server).url.replace("http://", "http://me:secret@")
    with pytest.raises(FetchError) as error:
        fetch(Archive(url=url, bytes=None, digest=""), tmp_path)
    assert "secret" not in str(error.value)
    assert "127.0.0.1" in str(error.value)


@pytest.mark.parametrize("path", ["", "..", ".hidden.tar.gz", "%2e%2e", "a%00b.tar", "a%5Cb.tar", "x" * 300])
def test_a_name_that_is_none_for_a_file_is_told(server: Server, tmp_path: Path, path: str) -> None:
    with pytest.raises(FetchError, match="offers a file called"):
        fetch(unknown(server, path), tmp_path)
    assert not server.asked


# Connections that break off


def test_a_broken_connection_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000, 1, 200_000]
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=100000-", "bytes=100001-", "bytes=300001-"]


@pytest.mark.parametrize("size", [1, 511, 512, 513, len(CONTENT) - 1])
def test_an_interrupted_run_goes_on_where_it_was(server: Server, tmp_path: Path, size: int) -> None:
    arrived(server, tmp_path, size)
    assert names(tmp_path) == [".dev.tar.gz.part", ".dev.tar.gz.part.json"]
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == [f"bytes={size}-"]


def test_a_run_that_ended_with_the_last_byte_asks_for_none(server: Server, tmp_path: Path) -> None:
    arrived(server, tmp_path, len(CONTENT))
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert not server.asked


def test_a_killed_process_leaves_nothing_that_passes_for_whole(server: Server, tmp_path: Path) -> None:
    server.cuts, server.stalls = [300_000], 1
    code = (
        "import sys; from pathlib import Path; from dsprep.importers import Archive\n"
        "from dsprep.pipeline.fetching.fetch import fetch\n"
        "def say(stage, done, total, unit):\n"
        "    if done == 300_000: print('here', flush=True)\n"
        f"fetch(Archive(url={archive(server).url!r}, bytes=None, digest={archive(server).digest!r}), "
        "Path(sys.argv[1]), say)"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"here\n"
        process.kill()
    assert not (tmp_path / "dev.tar.gz").exists()
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-"]


def test_a_server_that_never_gets_on_is_given_up(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000] + [0] * 20
    with pytest.raises(FetchError, match="the connection broke off, 5 times at byte 100000"):
        fetch(archive(server), tmp_path)
    assert len(server.asked) == 5


def test_a_silent_server_is_left_and_asked_again(server: Server, tmp_path: Path) -> None:
    server.cuts, server.stalls = [100_000], 1
    began = time.monotonic()
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=100000-"]
    assert time.monotonic() - began < 2.5


def test_a_server_that_drips_is_left(server: Server, tmp_path: Path) -> None:
    server.pause_seconds = 0.02
    with pytest.raises(FetchError, match="sends next to nothing"):
        fetch(archive(server), tmp_path, attempts=1, slowest_bytes_per_second=1000)
    assert 0 < (tmp_path / ".dev.tar.gz.part").stat().st_size < 100


@pytest.mark.parametrize("length", ["", "7"], ids=["no length", "a length that does not count"])
def test_a_chunked_answer_is_whole_at_its_own_end_only(server: Server, tmp_path: Path, length: str) -> None:
    server.fields = {"Content-Length": length, "Transfer-Encoding": "chunked"}
    server.content = b"%x\r\n%s\r\n" % (len(CONTENT), CONTENT)
    with pytest.raises(FetchError, match="broke off"):
        fetch(unknown(server), tmp_path, attempts=1)
    assert not (tmp_path / "dev.tar.gz").exists()
    server.content += b"0\r\n\r\n"
    assert fetch(unknown(server), tmp_path / "other").read_bytes() == CONTENT


def test_an_answer_without_a_length_is_held_to_the_published_one(server: Server, tmp_path: Path) -> None:
    server.fields, server.cuts = {"Content-Length": ""}, [100_000]
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_file_of_which_nobody_says_the_length_is_refused(server: Server, tmp_path: Path) -> None:
    server.fields = {"Content-Length": ""}
    with pytest.raises(FetchError, match="does not say how long it is"):
        fetch(unknown(server), tmp_path)


# Ranges


def test_a_server_that_ignores_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.cuts, server.ranges = [100_000], False
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=100000-"]


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_without_a_strong_tag_it_starts_over(server: Server, tmp_path: Path, tag: str) -> None:
    server.cuts, server.fields = [100_000], {"ETag": tag}
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["", ""]


def test_an_old_last_modified_serves_as_a_tag(server: Server, tmp_path: Path) -> None:
    server.cuts, server.fields = [100_000], {"ETag": "", "Last-Modified": OLD}
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=100000-"]


@pytest.mark.parametrize("when", ["now", "Fri, 01 Jan 99999999999 00:00:00 GMT"])
def test_a_file_modified_just_now_or_in_no_year_starts_over(server: Server, tmp_path: Path, when: str) -> None:
    date = format_datetime(datetime.now(UTC), usegmt=True) if when == "now" else when
    server.cuts, server.fields = [100_000], {"ETag": "", "Last-Modified": date}
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["", ""]


@pytest.mark.parametrize("field", ["ETag", "Last-Modified"])
@pytest.mark.parametrize("if_range", [True, False], ids=["heeds If-Range", "ignores If-Range"])
def test_a_file_that_changed_is_never_mixed_with_its_former_self(
    server: Server, tmp_path: Path, field: str, if_range: bool
) -> None:
    changed = b"\x1f\x8b" + CONTENT[:1:-1]
    first, second = ('"one"', '"two"') if field == "ETag" else (OLD, OLD.replace("20", "19", 1))
    server.cuts, server.fields, server.if_range = [100_000], {"ETag": "", field: first}, if_range

    def change(stage: str, done: int, total: int, unit: str) -> None:
        server.content, server.fields = changed, {"ETag": "", field: second}

    assert fetch(unknown(server), tmp_path, change).read_bytes() == changed


@pytest.mark.parametrize(
    "lie",
    [
        {"Content-Range": ""},
        {"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"},
        {"Content-Range": f"bytes 100001-{len(CONTENT) - 1}/{len(CONTENT)}"},
        {"Content-Range": f"bytes 100000-{len(CONTENT) - 2}/{len(CONTENT)}"},
        {"Content-Range": f"bytes 100000-{len(CONTENT)}/{len(CONTENT) + 1}"},
        {"Content-Range": f"bytes 100000-{len(CONTENT) - 1}/*"},
        {"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}", "Content-Length": ""},
        {"Content-Range": f"bytes 100000-{len(CONTENT)}/{len(CONTENT) + 1}", "Content-Length": ""},
        {"Content-Range": "bytes"},
        {"Content-Range": "", "Content-Type": "multipart/byteranges; boundary=x"},
        {"Content-Length": "7"},
    ],
    ids=lambda lie: ", ".join(f"{name} {value or 'missing'}" for name, value in lie.items()),
)
@pytest.mark.parametrize("known", [True, False], ids=["published", "unknown"])
def test_a_wrong_range_starts_over_and_never_makes_a_wrong_file(
    server: Server, tmp_path: Path, lie: dict[str, str], known: bool
) -> None:
    server.cuts, server.fields_206 = [100_000], lie
    assert fetch(archive(server) if known else unknown(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=100000-", ""]


def test_a_range_that_nobody_asked_for_is_not_taken(server: Server, tmp_path: Path) -> None:
    server.statuses = [206] * 20
    server.fields = {"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}", "Content-Length": ""}
    with pytest.raises(FetchError, match="another range"):
        fetch(archive(server), tmp_path)


def test_a_file_shorter_than_what_has_arrived_starts_over(server: Server, tmp_path: Path) -> None:
    server.cuts = [400_000]

    def shrink(stage: str, done: int, total: int, unit: str) -> None:
        server.content = CONTENT[:1000]

    assert fetch(unknown(server), tmp_path, shrink).read_bytes() == CONTENT[:1000]
    assert server.asked == ["", "bytes=400000-", ""]


def test_what_arrived_of_another_archive_of_that_name_is_not_gone_on_with(server: Server, tmp_path: Path) -> None:
    arrived(server, tmp_path, 100_000)
    server.content = b"\x1f\x8b" + bytes(1000)
    assert fetch(archive(server, server.content), tmp_path).read_bytes() == server.content
    assert server.asked == [""]


def test_a_mirror_goes_on_with_what_another_began(server: Server, tmp_path: Path) -> None:
    arrived(server, tmp_path, 100_000)
    known = [replace(archive(server), url="http://nowhere.invalid/dev.tar.gz")]
    mirror = f"{address(server)}/mirror/dev.tar.gz"
    assert [path.read_bytes() for path in local(known, [mirror], tmp_path, silent, ACCESS)] == [CONTENT]
    assert server.asked == ["bytes=100000-"]


# Something else than the file


def test_other_bytes_than_the_published_are_not_kept(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="published is"):
        fetch(archive(server, CONTENT[::-1]), tmp_path)
    assert not (tmp_path / "dev.tar.gz").exists()
    assert not (tmp_path / ".dev.tar.gz.part").stat().st_size
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT


def test_another_length_than_the_published_is_told_before_anything_is_read(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"is 512002 bytes, published are 3"):
        fetch(archive(server, b"abc"), tmp_path)
    assert not (tmp_path / ".dev.tar.gz.part").stat().st_size


def test_more_than_the_published_length_is_not_kept(server: Server, tmp_path: Path) -> None:
    server.fields = {"Content-Length": ""}
    with pytest.raises(FetchError, match="more than the 512001 bytes"):
        fetch(archive(server, CONTENT[:-1]), tmp_path)
    assert not (tmp_path / ".dev.tar.gz.part").stat().st_size


def test_a_page_instead_of_a_file_is_told(server: Server, tmp_path: Path) -> None:
    server.fields = {"Content-Type": "text/html; charset=utf-8"}
    with pytest.raises(FetchError, match="sends a web page"):
        fetch(archive(server), tmp_path)


@pytest.mark.parametrize("name", ["dev.tar.gz", "dev.tgz", "dev.tar", "dev.zip", "dev.TAR.GZ"])
@pytest.mark.parametrize("page", [b"<!DOCTYPE html>", b"<!DOCTYPE html>" + b" " * 100_000, b""])
def test_what_does_not_begin_as_the_archive_it_is_called_is_told(
    server: Server, tmp_path: Path, name: str, page: bytes
) -> None:
    server.content = page
    if not page:  # an empty file, which the server of this test has no other way to send
        server.statuses, server.fields = [200], {"Content-Length": "0"}
    with pytest.raises(FetchError, match="does not begin as a"):
        fetch(unknown(server, name), tmp_path)
    assert names(tmp_path) == [f".{name}.part"]
    assert not (tmp_path / f".{name}.part").stat().st_size


def test_what_is_no_archive_is_told_by_its_first_bytes(server: Server, tmp_path: Path) -> None:
    server.content, server.cuts = b"<!DOCTYPE html>" + b" " * 100_000, [1000]
    with pytest.raises(FetchError, match="does not begin as a gzip"):
        fetch(unknown(server), tmp_path)
    assert server.asked == [""]


def made(name: str) -> bytes:
    file = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a", "b")
    else:
        with tarfile.open(fileobj=file, mode="w:gz" if name.endswith("gz") else "w") as tar:
            tar.addfile(tarfile.TarInfo("a"))
    return file.getvalue()


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tgz", "a.tar", "a.zip"])
def test_what_begins_as_the_archive_it_is_called_is_taken(server: Server, tmp_path: Path, name: str) -> None:
    server.content = made(name)
    assert fetch(unknown(server, name), tmp_path).read_bytes() == server.content


def test_a_gzip_that_the_server_calls_an_encoding_is_kept_as_it_comes(server: Server, tmp_path: Path) -> None:
    server.fields = {"Content-Encoding": "gzip"}
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    with pytest.raises(FetchError, match="encoded as gzip"):
        fetch(unknown(server, "LDC93S1.wav"), tmp_path)


# Refusals and pauses


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_refusal_is_told_at_once(server: Server, tmp_path: Path, status: int) -> None:
    server.statuses = [status]
    with pytest.raises(FetchError, match=f"answers {status}"):
        fetch(archive(server), tmp_path)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_trouble_is_waited_for_and_not_forever(server: Server, tmp_path: Path, status: int) -> None:
    server.statuses = [status] * 4
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    server.statuses = [status] * 20
    with pytest.raises(FetchError, match=f"answers {status}, 5 times at byte 0"):
        fetch(archive(server), tmp_path / "other")


def test_trouble_keeps_what_had_arrived(server: Server, tmp_path: Path) -> None:
    arrived(server, tmp_path, 100_000)
    server.statuses = [503, 429]
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["bytes=100000-"] * 3


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_waited_for(server: Server, tmp_path: Path, as_date: bool) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.statuses, server.fields = [503], {"Retry-After": date if as_date else "1"}
    began = time.monotonic()
    fetch(archive(server), tmp_path)
    assert 0.9 < time.monotonic() - began < 5


@pytest.mark.parametrize("value", ["86400", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_long_retry_after_is_told_and_not_waited_for(server: Server, tmp_path: Path, value: str) -> None:
    server.statuses, server.fields = [429], {"Retry-After": value}
    with pytest.raises(FetchError, match=r"answers 429, and asks to wait \d+ s"):
        fetch(archive(server), tmp_path)


@pytest.mark.parametrize(
    "value", ["soon", "-5", "1.5", "Fri, 01 Jan 1999 00:00:00 GMT", "Fri, 01 Jan 99999999999 00:00:00 GMT", "٣"]
)
def test_a_retry_after_that_says_nothing_is_passed_over(server: Server, tmp_path: Path, value: str) -> None:
    server.statuses, server.fields = [503], {"Retry-After": value.encode().decode("latin-1")}
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT


def test_pauses_double(server: Server, tmp_path: Path) -> None:
    server.statuses = [503] * 20
    began = time.monotonic()
    with pytest.raises(FetchError):
        fetch(archive(server), tmp_path, pause_seconds=0.02)
    assert 0.02 + 0.04 + 0.08 + 0.16 <= time.monotonic() - began < 2


def nowhere() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_a_server_that_is_away_for_a_while_is_waited_for(server: Server, tmp_path: Path) -> None:
    arrived(server, tmp_path, 100_000)
    with pytest.raises(FetchError, match=r"cannot reach it .*, 5 times at byte 100000"):
        fetch(replace(archive(server), url=f"{nowhere()}/dev.tar.gz"), tmp_path)
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["bytes=100000-"]


def test_nobody_there_is_told_at_once(tmp_path: Path) -> None:
    nobody = Archive(url=f"{nowhere()}/dev.tar.gz?secret", bytes=None, digest="")
    with pytest.raises(FetchError, match=r"cannot reach http://127.0.0.1:\d+/dev.tar.gz \(.*refused") as error:
        fetch(nobody, tmp_path)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("url", ["http://[/a.tar", "http:///a.tar", "http://127.0.0.1:x/a.tar", "http://a b/a.tar"])
def test_a_url_that_is_none_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises(FetchError, match=r"no URL|is none|no file"):
        fetch(Archive(url=url, bytes=None, digest=""), tmp_path)


# Redirects


def test_redirects_are_followed_with_the_range(server: Server, tmp_path: Path) -> None:
    arrived(server, tmp_path, 100_000)
    server.redirects = {"/old/dev.tar.gz": "../new", "/new": f"{address(server)}/dev.tar.gz"}
    moved = replace(archive(server), url=f"{address(server)}/old/dev.tar.gz")
    assert fetch(moved, tmp_path).read_bytes() == CONTENT
    assert server.asked == ["bytes=100000-"] * 3


def test_a_ring_of_redirects_is_left(server: Server, tmp_path: Path) -> None:
    server.redirects = {"/dev.tar.gz": "/dev.tar.gz"}
    with pytest.raises(FetchError, match="redirects more than 5 times"):
        fetch(archive(server), tmp_path)
    assert len(server.asked) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://[", "data:,x"])
def test_a_redirect_to_what_is_not_http_is_refused(server: Server, tmp_path: Path, target: str) -> None:
    server.redirects = {"/dev.tar.gz": target}
    with pytest.raises(FetchError, match="redirects to"):
        fetch(archive(server), tmp_path)


@pytest.fixture
def secure(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same server behind TLS; the path of its certificate, which nobody has signed."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    pem = tmp_path_factory.mktemp("tls") / "own.pem"
    how = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 -addext"
    files = ["-keyout", str(pem), "-out", str(pem.with_suffix(".crt"))]
    command = ["openssl", *how.split(), "subjectAltName=IP:127.0.0.1", *files]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem.with_suffix(".crt"), pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return pem.with_suffix(".crt")


def test_a_certificate_that_nobody_signed_is_refused(server: Server, secure: Path, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"cannot reach https://.*CERTIFICATE_VERIFY_FAILED"):
        fetch(replace(archive(server), url=archive(server).url.replace("http:", "https:")), tmp_path)
    assert not server.asked


def test_a_redirect_goes_from_https_to_https_only(
    server: Server, secure: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure))
    safe = archive(server).url.replace("http:", "https:")
    server.redirects = {"/old": safe, "/older": archive(server).url}
    assert fetch(replace(archive(server), url=safe.replace("dev.tar.gz", "old")), tmp_path).read_bytes() == CONTENT
    with pytest.raises(FetchError, match="redirects from https to http://"):
        fetch(replace(archive(server), url=safe.replace("dev.tar.gz", "older")), tmp_path)


def test_a_redirect_is_read_as_utf_8(server: Server, tmp_path: Path) -> None:
    server.redirects = {"/dev.tar.gz": "/català".encode().decode("latin-1"), "/catal%C3%A0": "/here"}
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 3


# Room, and other processes


def test_a_published_size_that_does_not_fit_is_told_before_anybody_is_asked(server: Server, tmp_path: Path) -> None:
    huge = Archive(url=archive(server).url, bytes=10**17, digest="")
    with pytest.raises(OutputError, match=r"has \d+ bytes free, and 100000000000000000 are still to be fetched"):
        fetch(huge, tmp_path)
    assert not server.asked


def test_a_length_that_does_not_fit_is_told_before_the_first_byte(server: Server, tmp_path: Path) -> None:
    server.fields = {"Content-Length": str(10**17)}
    with pytest.raises(OutputError, match=r"has \d+ bytes free, and 100000000000000000 are still"):
        fetch(unknown(server), tmp_path)
    assert not (tmp_path / ".dev.tar.gz.part").stat().st_size


def test_what_has_arrived_needs_no_room_again(server: Server, tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    size = free + (1 << 30)
    partial = tmp_path / ".dev.tar.gz.part"
    arrived(server, tmp_path, 100_000)
    os.truncate(partial, size - 1000)  # a file with a hole: long, and without a byte on disk
    server.statuses = [404]
    published = replace(archive(server), bytes=size)
    with pytest.raises(FetchError, match="answers 404"):
        fetch(published, tmp_path)


def test_what_arrived_of_something_else_takes_no_room_off(server: Server, tmp_path: Path) -> None:
    size = shutil.disk_usage(tmp_path).free + (1 << 30)
    (tmp_path / ".dev.tar.gz.part").touch()
    os.truncate(tmp_path / ".dev.tar.gz.part", size)
    with pytest.raises(OutputError, match=rf"has \d+ bytes free, and {size} are still"):
        fetch(replace(archive(server), bytes=size), tmp_path)
    assert not server.asked


def test_a_disk_that_fills_keeps_what_it_took(server: Server, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))  # the system's own refusal to write on
    try:
        with pytest.raises(OutputError, match=r"cannot write .*dev\.tar\.gz\.part: File too large"):
            fetch(archive(server), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-"]


def test_two_processes_do_not_write_one_file(server: Server, tmp_path: Path) -> None:
    with (tmp_path / ".dev.tar.gz.part").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another dsprep is fetching"):
            fetch(archive(server), tmp_path)
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT


def test_many_at_once_make_one_whole_file(server: Server, tmp_path: Path) -> None:
    """Whoever is late for the lock must not take the finished file for a partial one."""
    server.content = CONTENT[:5000]
    outcomes: list[str] = []

    def one() -> None:
        try:
            outcomes.append(str(fetch(archive(server, server.content), tmp_path).stat().st_size))
        except OutputError as error:
            outcomes.append("busy" if "another dsprep" in str(error) else str(error))

    for _ in range(30):
        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (tmp_path / "dev.tar.gz").read_bytes() == server.content
        assert names(tmp_path) == ["dev.tar.gz", "dev.tar.gz.json"]
        shutil.rmtree(tmp_path)
    assert set(outcomes) <= {"5000", "busy"}
    assert len(server.asked) == 30, "who is late finds it done"


def test_a_folder_that_cannot_be_written_is_told(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        fetch(archive(server), tmp_path / "file" / "folder")


# Sources


def test_sources_that_are_no_urls_are_paths(tmp_path: Path) -> None:
    known: list[Archive] = []
    assert local(known, ["a.tar.gz", "./mdc:x"], tmp_path, silent) == [Path("a.tar.gz"), Path("./mdc:x")]


def test_two_urls_of_one_name_are_refused(server: Server, tmp_path: Path) -> None:
    known: list[Archive] = []
    with pytest.raises(UsageError, match=r"two sources are of a file clips.tar.gz"):
        local(known, [f"{address(server)}/{lang}/clips.tar.gz" for lang in ("de", "br")], tmp_path, silent, ACCESS)
    assert not server.asked


def test_a_url_is_held_to_the_digest_of_the_published_archive_of_its_name(server: Server, tmp_path: Path) -> None:
    known = [archive(server, CONTENT[:-1] + b"!")]
    with pytest.raises(FetchError, match="published is"):
        local(known, [f"{address(server)}/x/dev.tar.gz?download=1"], tmp_path, silent, ACCESS)

"""Ledger: the audio files, rows and outcomes of an import on disk, so that memory does not grow with a corpus.

    OUT/.ledger.4711-....tmp     an SQLite file of our own, under a temporary name: no state, only room

It joins and sorts: rows come in the order of the tables, audio in the order of the archive, manifests are sorted
by id. Nothing in it outlives the import; what lasts are the records that commit.py writes.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..manifests import OutputError, Utterance
from .commit import discard, temporary_name
from .source import shown

CACHE = 4_000
"""Kilobytes of it in memory."""
TABLES = """
    CREATE TABLE audio (
        name BLOB PRIMARY KEY, position INTEGER, place INTEGER, byte INTEGER, size INTEGER, stamp INTEGER,
        seconds REAL, ffmpeg INTEGER, named INTEGER DEFAULT 0
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX positions ON audio (position);
    CREATE TABLE ranks (name BLOB PRIMARY KEY, rank INTEGER) WITHOUT ROWID;
    CREATE TABLE files (name TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE stems (stem TEXT, name BLOB, PRIMARY KEY (stem, name)) WITHOUT ROWID;
    CREATE TABLE wanted (position INTEGER, start REAL, line INTEGER, part TEXT, row TEXT,
        PRIMARY KEY (position, start, line)) WITHOUT ROWID;
    CREATE TABLE ids (part TEXT, id TEXT, cut TEXT, PRIMARY KEY (part, id)) WITHOUT ROWID;
    CREATE TABLE kept (part TEXT, id TEXT, row TEXT, PRIMARY KEY (part, id)) WITHOUT ROWID;
    CREATE TABLE rejected (part TEXT, id TEXT, reason TEXT, detail TEXT, frames INTEGER, line INTEGER,
        PRIMARY KEY (part, id, reason, detail, frames, line)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Audio:
    """An audio file of a source, as the survey saw it."""

    name: str
    place: int
    """Which of the places it lies in."""
    byte: int | None
    """Where in its file its bytes begin; None if they must be inflated first."""
    size: int
    """Bytes."""
    stamp: int
    """When the file that it is in was changed last, in ns."""
    seconds: float | None
    """About how long it is, if its head tells."""
    ffmpeg: bool
    """Whether it needs ffmpeg."""
    rank: int = 0
    """Its place among all by name, whatever the order of the source; known once all are."""


Left = tuple[str, str, str, str, int | None]
"""A row that is in no manifest: part, id, reason, detail, samples at 16 kHz if they are known."""


class Ledger:
    """Rows of an import, by disk. `part` may be empty: what is of no part."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in (
            *("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"),
            *(f"cache_size = -{CACHE}", "temp_store = MEMORY"),
        ):
            self._base.execute(f"PRAGMA {pragma}")
        self._base.executescript(TABLES)
        self._base.execute("BEGIN")
        self._lines = 0
        self._files = 0

    def add_audio(self, audio: Audio) -> bool:
        """Take note of an audio file, after those before it; whether it is the first of its name."""
        values = (_stored(audio.name), self._files, audio.place, audio.byte, audio.size, audio.stamp, audio.seconds)
        added = self._base.execute(
            "INSERT OR IGNORE INTO audio VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)", (*values, audio.ffmpeg)
        ).rowcount
        self._files += added
        return bool(added)

    def index(self) -> None:
        """Rank the audio files by name, and make `with_stem` possible: all of them are known now."""
        names = self._base.execute("SELECT name FROM audio ORDER BY name")
        self._base.executemany("INSERT INTO ranks VALUES (?, ?)", ((name, rank) for rank, (name,) in enumerate(names)))
        names = self._base.execute("SELECT name FROM audio ORDER BY name")
        self._base.executemany(
            "INSERT OR IGNORE INTO stems VALUES (?, ?)", ((shown(_name(name).stem), name) for (name,) in names)
        )

    def __contains__(self, name: str) -> bool:
        return self._one("SELECT 1 FROM audio WHERE name = ?", _stored(name)) is not None

    def with_stem(self, stem: str) -> list[str]:
        """Names of the audio files of that stem."""
        found = self._base.execute("SELECT name FROM stems WHERE stem = ? ORDER BY name", (shown(stem),))
        return [str(_name(name)) for (name,) in found]

    def name_audio(self, name: str) -> bool:
        """Take note that some row speaks of an audio file; whether it is there."""
        return bool(self._base.execute("UPDATE audio SET named = 1 WHERE name = ?", (_stored(name),)).rowcount)

    def take_id(self, part: str, name: str, cut: str) -> bool:
        """Whether an id is new in its part, and means the same audio wherever else it is."""
        before = self._one("SELECT cut FROM ids WHERE part = '' AND id = ?", name)
        if before is not None and before[0] != cut:
            return False
        self._base.execute("INSERT OR IGNORE INTO ids VALUES ('', ?, ?)", (name, cut))
        return bool(self._base.execute("INSERT OR IGNORE INTO ids VALUES (?, ?, '')", (part, name)).rowcount)

    def want(self, part: str, row: Utterance) -> None:
        """A row whose audio is there, to be converted."""
        cells = [row.id, row.audio, row.text, row.start, row.end, row.channel, row.speaker, row.extras]
        self._base.execute(
            "INSERT INTO wanted SELECT position, ?, ?, ?, ? FROM audio WHERE name = ?",
            (row.start, self._line(), part, json.dumps(cells), _stored(row.audio)),
        )

    def forgotten(self) -> Iterator[str]:
        """Names of the audio files that no row speaks of, in order."""
        for (name,) in self._base.execute("SELECT name FROM audio WHERE named = 0 ORDER BY position"):
            yield str(_name(name))

    def wanted(self) -> Iterator[tuple[Audio, list[tuple[str, Utterance]]]]:
        """Each audio file that has rows with them, in the order of the survey."""
        audio: Audio | None = None
        rows: list[tuple[str, Utterance]] = []
        for part, row, *fields in self._base.execute(
            "SELECT part, row, name, place, byte, size, stamp, seconds, ffmpeg, rank FROM wanted "
            "CROSS JOIN audio USING (position) CROSS JOIN ranks USING (name) ORDER BY position, start, line"
        ):
            if audio is None or fields[0] != _stored(audio.name):
                if audio:
                    yield audio, rows
                audio, rows = _audio(*fields), []
            rows.append((part, _utterance(row)))
        if audio:
            yield audio, rows

    def count_wanted(self) -> int:
        """Audio files that have rows."""
        return int(self._one("SELECT COUNT(DISTINCT position) FROM wanted")[0])

    def needing_ffmpeg(self) -> tuple[int, str] | None:
        """How many of the wanted files need ffmpeg, and one of them."""
        count, example = self._one(
            "SELECT COUNT(DISTINCT position), MIN(name) FROM wanted JOIN audio USING (position) WHERE ffmpeg"
        )
        return (int(count), shown(str(_name(example)))) if count else None

    def keep(self, part: str, name: str, file: str, row: Any) -> None:
        """A row that is in the manifest of `part`, as JSON, and the name of its audio file."""
        self._base.execute("INSERT OR IGNORE INTO files VALUES (?)", (file,))
        self._base.execute("INSERT INTO kept VALUES (?, ?, ?)", (part, name, json.dumps(row, ensure_ascii=False)))

    def kept(self, part: str) -> Iterator[Any]:
        """The rows of a manifest, sorted by id."""
        for (row,) in self._base.execute("SELECT row FROM kept WHERE part = ? ORDER BY id", (part,)):
            yield json.loads(row)

    def holds(self, file: str) -> bool:
        """Whether a row was kept whose audio is in a file of that name."""
        return self._one("SELECT 1 FROM files WHERE name = ?", file) is not None

    def reject(self, part: str, name: str, reason: str, detail: str, frames: int | None = None) -> None:
        """A row that is in no manifest, with the length of its audio if that is known."""
        cells = (part, name, reason, detail, -1 if frames is None else frames, self._line())
        self._base.execute("INSERT INTO rejected VALUES (?, ?, ?, ?, ?, ?)", cells)

    def rejected(self) -> Iterator[Left]:
        """All rows that are in no manifest, sorted."""
        for part, name, reason, detail, frames in self._base.execute(
            "SELECT part, id, reason, detail, frames FROM rejected ORDER BY part, id, reason, detail, frames, line"
        ):
            yield part, name, reason, detail, None if frames < 0 else frames

    def close(self) -> None:
        """Throw it away."""
        self._base.close()
        discard(self.path)

    def _line(self) -> int:
        self._lines += 1
        return self._lines

    def _one(self, query: str, *values: Any) -> Any:
        with closing(self._base.execute(query, values)) as cursor:
            return cursor.fetchone()


@contextmanager
def ledger(out: Path) -> Iterator[Ledger]:
    """A ledger in `out` while an import needs it.

    Raises:
        OutputError: there is no room for it.
    """
    path = temporary_name(out / "ledger")
    try:
        book = Ledger(path)
        try:
            yield book
        finally:
            book.close()
    except sqlite3.Error as error:
        discard(path)
        raise OutputError(f"cannot write {path}: {error}; make room there and type the same command again") from error


def _audio(
    name: bytes,
    place: int,
    byte: int | None,
    size: int,
    stamp: int,
    seconds: float | None,
    ffmpeg: int,
    rank: int,
) -> Audio:
    return Audio(str(_name(name)), place, byte, size, stamp, seconds, bool(ffmpeg), rank)


def _stored(name: str) -> bytes:
    """A file's name, which may be of another encoding than UTF-8."""
    return name.encode("utf-8", "surrogateescape")


def _name(stored: bytes) -> PurePosixPath:
    return PurePosixPath(stored.decode("utf-8", "surrogateescape"))


def _utterance(row: str) -> Utterance:
    name, audio, text, start, end, channel, speaker, extras = json.loads(row)
    return Utterance(
        id=name,
        audio=audio,
        text=text,
        start=start,
        end=end,
        channel=channel,
        speaker=speaker,
        extras=tuple((key, value) for key, value in extras),
    )

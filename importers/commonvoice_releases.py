r"""Common Voice's releases since 2019, full ones and deltas: tables of tab-separated cells, which are never quoted.

    cv-corpus-19.0-2024-09-13/en/train.tsv
        client_id  path  sentence_id  sentence  sentence_domain  up_votes  down_votes  age  gender  accents ... locale
        64bb0ae3...  common_voice_en_100.mp3  ec18...  Zero.  ...
    cv-corpus-19.0-2024-09-13/en/clips/common_voice_en_100.mp3
    cv-corpus-20.0-delta-2024-12-06/en/validated.tsv

validated, invalidated and other are pools that hold every clip once; train, dev and test are made of validated, with
one clip a sentence. `train-all` is what users want: validated without the sentences and the speakers of dev and test
(mozilla/DeepSpeech, bin/import_cv2.py). A clip moves from pool to pool between releases, so where a delta and a full
release are merged, the newest row of a path wins; a delta has no train, dev and test.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..manifests import BadRow, SourceError
from .columns import TableRow, rows
from .corpus import AudioFiles, Found, Row, Rows, TextFile, made_id, row

SPLITS = ("train", "dev", "test")
POOLS = ("validated", "invalidated", "other")
TRAIN_ALL = "train-all"
REPORTED = "reported"
TEXTS = tuple(f"*/{name}.tsv" for name in (*SPLITS, *POOLS, REPORTED))
AUDIO = ("*/clips/*",)
REQUIRED = ("client_id", "path", "sentence")
NAME = re.compile(r"cv-corpus-(?P<version>\d+(\.\d+)*)(-(?P<kind>delta|singleword))?(-(?P<date>\d{4}-\d\d-\d\d))?.*")


@dataclass(slots=True)
class Release:
    """The tables of one language in one release."""

    folder: PurePosixPath
    locale: str
    """By the folder's name; empty for releases 1 to 4."""
    kind: str
    """`full`, `delta` or `singleword`."""
    age: tuple[str, list[int]]
    """Date and version: a greater one is newer."""
    tables: dict[str, TextFile] = field(default_factory=dict)


def read(found: Found) -> Rows:
    """The rows of all releases, those of one language merged."""
    merged: dict[tuple[str, bool], list[Release]] = {}
    for release in _releases(found.texts):
        merged.setdefault((release.locale, release.kind == "singleword"), []).append(release)
    for releases in merged.values():
        releases.sort(key=lambda release: release.age, reverse=True)
        full = [release for release in releases if release.kind != "delta"]
        if len(full) > 1:
            raise SourceError(
                f"{full[0].folder} and {full[1].folder} are both full releases of the same clips: "
                "name one of them with --source, and deltas if you have some"
            )
        yield from _merged(releases, found)


def _releases(texts: Iterable[TextFile]) -> list[Release]:
    by_folder: dict[PurePosixPath, Release] = {}
    for file in texts:
        if f"*/{file.path.name}" in TEXTS:
            folder = file.path.parent
            by_folder.setdefault(folder, _release(folder)).tables[file.path.stem] = file
    return list(by_folder.values())


def _release(folder: PurePosixPath) -> Release:
    """What the names of folders tell; a folder that was renamed is taken for a full release of its own."""
    for depth, name in enumerate(reversed(folder.parts)):
        if match := NAME.fullmatch(name):
            version = [int(number) for number in match["version"].split(".")]
            return Release(
                folder, folder.name if depth else "", match["kind"] or "full", (match["date"] or "", version)
            )
    return Release(folder, folder.name, "full", ("", []))


def _merged(releases: list[Release], found: Found) -> Rows:
    """The rows of one language, from the newest release to the oldest."""
    folders = [release.folder for release in releases]
    kept_out = _kept_out(releases) if TRAIN_ALL in found.parts else None
    newer: set[str] = set()
    for release in releases:
        reported = _reported(release)
        seen: set[str] = set()
        for part in (*SPLITS, *POOLS):
            for one in _rows(release, part):
                path = one.cells["path"] if isinstance(one, TableRow) else None
                if path is not None and part in POOLS and release is not releases[-1]:
                    seen.add(path)  # there are millions, and nobody asks for those of the oldest release
                if path is not None and part in POOLS and path in newer:
                    audio = _clip(path, release, folders, found.audio)
                    what = f"{path} is in a newer release too"
                    yield part, BadRow(place=one.place, detail=what, reason="superseded", audio=audio)
                    continue
                yield from _row(part, one, release, folders, found.audio, reported, kept_out)
        newer |= seen


def _rows(release: Release, part: str) -> Iterator[TableRow | BadRow]:
    if part in release.tables:
        yield from rows(release.tables[part], REQUIRED)


def _row(
    part: str,
    one: TableRow | BadRow,
    release: Release,
    folders: list[PurePosixPath],
    audio: AudioFiles,
    reported: dict[str, str] | None,
    kept_out: set[str] | None,
) -> Iterator[Row]:
    if not isinstance(one, TableRow):
        yield part, one
        return
    cells = one.cells
    extras = one.extras(*REQUIRED)
    if "locale" not in cells:
        extras = (*extras, ("locale", release.locale))
    if reported is not None:
        extras = (*extras, ("reported", reported.get(cells["sentence"], "")))
    clip = _clip(cells["path"], release, folders, audio)
    made = row(
        one.place,
        id=made_id(PurePosixPath(clip).stem),
        audio=clip,
        text=cells["sentence"],
        speaker=cells["client_id"],
        extras=extras,
    )
    yield part, made
    if part == "validated" and kept_out is not None and _trainable(cells, kept_out):
        yield TRAIN_ALL, made


def _trainable(cells: dict[str, str], kept_out: set[str]) -> bool:
    return cells["client_id"] not in kept_out and _same(cells["sentence"]) not in kept_out


def _clip(path: str, release: Release, folders: list[PurePosixPath], audio: AudioFiles) -> str:
    """The clip's name, in the newest release that has it, for a delta may bring it anew; some leave `.mp3` out."""
    names = [name for name in (path, f"{path}.mp3") if name != f"{path}.mp3" or not path.endswith(".mp3")]
    places = [str(folder / "clips" / name) for folder in folders for name in names]
    return next((place for place in places if place in audio), str(release.folder / "clips" / names[-1]))


def _kept_out(releases: list[Release]) -> set[str]:
    """Speakers and sentences of dev and test."""
    tables = [one for release in releases for part in ("dev", "test") for one in _rows(release, part)]
    cells = [one.cells for one in tables if isinstance(one, TableRow)]
    return {one["client_id"] for one in cells} | {_same(one["sentence"]) for one in cells}


def _same(sentence: str) -> str:
    """What two spellings of one sentence share, with a mark before it that no speaker's name has."""
    folded = unicodedata.normalize("NFC", sentence).casefold()
    return " " + " ".join("".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded).split())


def _reported(release: Release) -> dict[str, str] | None:
    """Why users reported a sentence, by sentence; None if the release does not tell."""
    if REPORTED not in release.tables:
        return None
    listed = rows(release.tables[REPORTED], ("sentence",))
    return {one.cells["sentence"]: one.cells.get("reason") or "reported" for one in listed if isinstance(one, TableRow)}

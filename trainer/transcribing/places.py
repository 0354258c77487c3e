"""Places: where the subtitles of each sound are to be written.

talks/a.wav                         talks/a.srt
talks/a.wav, and --out subs         subs/a.srt; of the folder talks, what lies in talks/1/a.wav is subs/1/a.srt
"""

import os
from collections.abc import Sequence
from pathlib import Path

from ...manifests import UsageError
from .sources import Source

Places = dict[str, Path]
"""By the ending."""


def places_of(sources: Sequence[Source], endings: Sequence[str], out: Path | None) -> list[Places]:
    """Where the subtitles of each source are to be, `out` being the folder for all.

    Raises:
        UsageError: a source has no place for them, two would have the same, or one would be over a sound.
    """
    if out and os.path.lexists(out) and not out.is_dir():
        raise UsageError(f"--out {out} is no folder: name one, or a new one")
    places = [{ending: _place(source, ending, out) for ending in endings} for source in sources]
    sounds = {source.beside for source in sources}
    taken: dict[Path, Source] = {}
    for source, mine in zip(sources, places, strict=True):
        for path in mine.values():
            if path in sounds:
                raise UsageError(
                    f"the subtitles of {source.name} would be written over {path}: name a folder with --out"
                )
            other = taken.setdefault(path, source)
            # A clip's name is its id, which another manifest may have too; a file's is what it is.
            if other is not source and (source.beside is None or other.beside != source.beside):
                raise UsageError(
                    f"the subtitles of {other.name} and of {source.name} would both be {path}: "
                    "write them in two commands, each with a folder of its own, named with --out"
                )
    return places


def _place(source: Source, ending: str, out: Path | None) -> Path:
    if out:
        return out / f"{source.below}.{ending}"
    if source.beside is None:
        raise UsageError(f"{source.name} is no file of its own: name a folder for subtitles with --out")
    return source.beside.with_name(f"{source.beside.stem}.{ending}")

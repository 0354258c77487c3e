"""Supply: the bytes of audio files, as references to disk, brought in the order in which the survey saw them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from ..manifests import silent
from .archive import BLOCK, content, members, open_tar, plain_name
from .commit import temporary_name, write_all, writing
from .ledger import Audio
from .source import Place, Span, changed, path_below
from .zips import members as zip_members
from .zips import open_zip, translating

Opened = Iterator[tuple[str, Callable[[], BinaryIO]]]


class Supply:
    """What lies as it is, in a folder, a tar or a zip, is referred to; what is compressed goes through spool files.

    A spool file holds the audio of one chunk on its way to a worker; `cut` ends it, `release` removes it.
    """

    def __init__(self, places: Sequence[Place], out: Path) -> None:
        self._places, self._folder = places, out / "audio"
        self._stack = ExitStack()
        self._open: tuple[int, Opened] | None = None
        self._spool: BinaryIO | None = None
        self._spools: set[Path] = set()

    def bring(self, audio: Audio) -> Span:
        """The bytes of an audio file, which must come after all that were brought before.

        Raises:
            SourceError: it is not there any more.
            OutputError: there is no room for a spool file.
        """
        place = self._places[audio.place]
        if place.path.is_dir():
            return Span(path_below(place.path, audio.name), 0, audio.size, audio.stamp)
        if audio.byte is not None:
            return Span(place.path, audio.byte, audio.size, audio.stamp)
        if self._open is None or self._open[0] != audio.place:
            self._stack.close()
            self._open = audio.place, self._opened(place)
        span = self._spooled(place, audio.name, self._open[1])
        with translating(place.path):
            stamp = place.path.stat().st_mtime_ns
        if span is None or span.size != audio.size or stamp != audio.stamp:
            raise changed(place.path)
        return span

    def cut(self) -> None:
        """End the spool file that is being filled."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def release(self, used: Iterable[Span]) -> None:
        """Remove the spool files behind these spans."""
        for path in {span.path for span in used} & self._spools:
            path.unlink(missing_ok=True)
            self._spools.discard(path)

    def __enter__(self) -> "Supply":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.cut()
        for path in self._spools:
            path.unlink(missing_ok=True)
        self._stack.close()

    def _opened(self, place: Place) -> Opened:
        if place.is_zip:
            archive = self._stack.enter_context(open_zip(place.path))
            for info in zip_members(archive, place.path):
                yield plain_name(info.filename), partial(archive.open, info)  # type: ignore[misc]
        else:
            tar, stream = self._stack.enter_context(open_tar(place.path, "", silent))
            for member in members(tar, stream, place.path):
                yield plain_name(member.name), partial(content, tar, member)

    def _spooled(self, place: Place, wanted: str, opened: Opened) -> Span | None:
        """The next member of that name, copied to the spool; None if there is none any more."""
        with translating(place.path):
            for name, open_member in opened:
                if name == wanted:
                    with closing(open_member()) as file:
                        return self._keep(iter(partial(file.read, BLOCK), b""))
        return None

    def _keep(self, blocks: Iterator[bytes]) -> Span:
        with writing(self._folder):
            if self._spool is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._spool = temporary_name(self._folder / "spool").open("xb", buffering=0)
                self._spools.add(Path(self._spool.name))
            path, start = Path(self._spool.name), self._spool.tell()
        for block in blocks:
            with writing(path):
                write_all(self._spool, block)
        return Span(path, start, self._spool.tell() - start)

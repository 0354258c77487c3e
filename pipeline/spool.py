"""Spool: the way of audio from a compressed tar to a worker, through files of our own, one chunk each."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .commit import temporary_name, write_all, writing
from .source import Span


class Spool:
    """Files of our own that hold the audio of one chunk each on its way from a compressed tar to a worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: Any = None
        self._paths: set[Path] = set()

    def keep(self, data: bytes) -> Span:
        """`data` in the file of the chunk that is being filled.

        Raises:
            OutputError: there is no room for it.
        """
        with writing(self._folder):
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._file = temporary_name(self._folder / "spool").open("xb", buffering=0)
                self._paths.add(Path(self._file.name))
            span = Span(Path(self._file.name), self._file.tell(), len(data))
            write_all(self._file, data)
        return span

    def cut(self) -> None:
        """End the chunk that is being filled."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def release(self, used: Iterable[Span]) -> None:
        """Remove the files behind these spans that are ours."""
        for path in {span.path for span in used} & self._paths:
            path.unlink(missing_ok=True)
            self._paths.discard(path)

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        for path in self._paths:
            path.unlink(missing_ok=True)

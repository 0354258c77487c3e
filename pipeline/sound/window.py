"""Files as libsndfile is given them: bytes in memory, or a window on `size` bytes of a file from `begin` on.

Audio lies inside tars, behind headers and between tags. libsndfile calls back through C, where an exception would be
printed and forgotten: so none is raised here.
"""

import io
import os
from typing import IO


class Memory(io.BytesIO):
    """Bytes as a file, in which a seek to before the begin moves nothing; damaged headers lead to such."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


class Window(io.RawIOBase):
    """Read-only, seekable; `head`, if given, is read in place of as many first bytes. The file stays its owner's."""

    def __init__(self, file: IO[bytes], begin: int, size: int, head: bytes = b"") -> None:
        self._file, self._begin, self._size, self._head, self._place = file, begin, size, head, 0
        self.error: OSError | None = None
        """That reading met, for who reads through libsndfile to ask for."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        if place >= 0:
            self._place = place
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` as far as the window goes; 0 at its end."""
        count = max(0, min(len(buffer), self._size - self._place))
        if self._place < len(self._head):
            data = self._head[self._place : self._place + count]
        else:
            try:
                self._file.seek(self._begin + self._place)
                data = self._file.read(count)
            except OSError as error:
                self.error, data = error, b""
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

"""Members: what of one sample in a shard is not what it must be, to the byte.

    byte 0      header of 1272-128104-0000.wav      follows from the sample
    byte 512    audio                               has its sha256 in the manifest
    byte 187904 header of 1272-128104-0000.txt      follows from the sample, and all after it
    byte 188416 1272-128104-0000.txt ...

Bytes are counted from the first of the sample's first header.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from ...manifests import Sample
from ...manifests.ctc import RATE
from ..sound.audio import Unreadable, decode
from ..sound.plain import HEADER, LARGEST, wav_header
from ..tables import WIDEST, cut
from .tar import BLOCK, after, before, header, members, padding

ZEROS = "the zeros after its audio"
Place = tuple[int, str]
"""Where something begins, and what it is or what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The bytes of a sample in a shard, from its first header to where the next sample begins."""

    sample: Sample
    data: bytes
    texts: bool
    """Whether the sample has its transcript and further columns: a record does not know them."""

    @property
    def audio(self) -> memoryview:
        """The audio file."""
        return memoryview(self.data)[BLOCK : BLOCK + self.sample.size]

    def differing(self) -> list[Place]:
        """Everything that is not as it was written: a first header, the audio, what comes after it."""
        around = self.around()
        found = [around] if around else []
        if self.sample.sha256 and hashlib.sha256(self.audio).hexdigest() != self.sample.sha256:
            last = (self.sample.offset or 0) + self.sample.size - 1
            found.append((BLOCK + self._in_wav_header(), f"audio to byte {last} ({self._state()})"))
        return sorted(found)

    def around(self) -> Place | None:
        """The first piece besides the audio that differs, and its first byte that does."""
        sample, form = self.sample, self._form()
        if (at := _difference(self.data[:BLOCK], before(sample, form, sample.size))) is not None:
            return at, f"header of {sample.id}.{form}"
        done = BLOCK + sample.size
        if self.texts and self.data.startswith(after(sample, sample.size), done):
            return None
        for what, piece in _after(sample) if self.texts else [(ZEROS, padding(sample.size))]:
            if (at := _difference(self.data[done : done + len(piece)], piece)) is not None:
                return done + at, what
            done += len(piece)
        return None

    def unsound(self) -> Place | None:
        """What is wrong with audio that is as it was written."""
        try:
            frames = self._frames()
        except Unreadable as error:
            return BLOCK, f"audio does not decode: {error}"
        told = self.sample.duration
        if told is not None and round(told * RATE) != frames:
            return BLOCK, f"audio lasts {frames / RATE} s, {told} s are told"
        return None

    def _state(self) -> str:
        """Whether audio that is not as it was written is audio still."""
        try:
            self._frames()
        except Unreadable as error:
            return f"does not decode: {cut(str(error), WIDEST)}"
        return "still decodes"

    def _frames(self) -> int:
        """Samples at 16 kHz; a WAV of ours need not be decoded to be known sound."""
        samples, rest = divmod(self.sample.size - HEADER, 2)
        if samples > 0 and not rest and self.data.startswith(self._wav_header() or b"\0", BLOCK):
            return samples
        return len(decode(bytes(self.audio)))

    def _form(self) -> str:
        """`wav` or `flac`, by the member's name; by how the audio begins where the name is damaged."""
        for form in ("wav", "flac"):
            if self.data.startswith(f"{self.sample.id}.{form}\0".encode()):
                return form
        return "flac" if self.data.startswith(b"fLaC", BLOCK) else "wav"

    def _in_wav_header(self) -> int:
        """The byte of a WAV's header that differs, for that follows from the size; of other audio, the first."""
        expected = b"" if self._form() == "flac" else self._wav_header()
        return _difference(bytes(self.audio[: len(expected)]), expected) or 0

    def _wav_header(self) -> bytes:
        """What a WAV of that size begins with; empty if there can be none."""
        size = self.sample.size - HEADER
        return wav_header(size) if 0 <= size <= LARGEST else b""


def _after(sample: Sample) -> Iterator[tuple[str, bytes]]:
    """What `tar.after` is made of, each piece with its name."""
    yield ZEROS, padding(sample.size)
    for name, content in members(sample):
        yield f"header of {name}", header(name, len(content))
        yield name, content
        yield f"the zeros after {name}", padding(len(content))


def _difference(found: bytes, expected: bytes) -> int | None:
    """Where two stretches differ first."""
    if found == expected:
        return None
    places = (at for at, (one, other) in enumerate(zip(found, expected, strict=False)) if one != other)
    return next(places, min(len(found), len(expected)))

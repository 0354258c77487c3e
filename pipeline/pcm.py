"""Pcm: the sound of samples, 16 kHz mono, straight into the memory where it is wanted.

    with Reader() as reader:
        pcm = read_pcm(sample, reader)              an array of its own
        pcm = read_pcm(sample, reader, room)        `room` itself, if the sample has as many samples as that

What dsprep wrote takes the shortest way. Of a WAV, one `preadv` puts 44 bytes of header aside and the rest into
`room`; a FLAC is decoded into it. All else is for `decode` to read or to refuse, and so is what is not in every
way as it should be: there is one judge of what is wrong with a clip.
"""

import numpy as np
import soundfile

from ..manifests import DataError, Sample
from ..manifests.ctc import RATE
from .reading import Reader, shown
from .sound.audio import Pcm, Unreadable, decode
from .sound.plain import HEADER, wav_header
from .sound.stream import Forward

AS_IN_WAV = np.dtype(np.int16) == np.dtype("<i2")
"""Whether this machine keeps numbers as WAV does, the low byte first."""


def read_pcm(sample: Sample, reader: Reader, room: Pcm | None = None) -> Pcm:
    """The samples of a clip: in `room`, contiguous, if it has their number; else in an array of their own.

    Raises:
        DataError: its file is gone, cut off, no audio, or holds no sound.
    """
    if room is None:
        room = np.empty(max(0, sample.size - HEADER) // 2, np.int16)
    if AS_IN_WAV and sample.size == HEADER + room.nbytes > HEADER and _wav(sample, reader, room):
        return room
    data = reader.read(sample)
    if data[:4] == b"fLaC" and _flac(reader.as_file(data), room):
        return room
    place = f"{sample.id}: {shown(sample.path)} at byte {sample.offset or 0}"
    try:
        pcm = decode(data)
    except Unreadable as error:
        raise DataError(f"{place}: {error}") from error
    if not len(pcm):
        raise DataError(f"{place} holds no sound")
    return pcm


def _wav(sample: Sample, reader: Reader, room: Pcm) -> bool:
    """Whether a sample is the WAV that dsprep would have written of what `room` holds now."""
    head = bytearray(HEADER)
    return reader.read_into(sample, [head, room]) == sample.size and head == wav_header(room.nbytes)


def _flac(descriptor: int, room: Pcm) -> bool:
    """Whether a file is 16 kHz mono FLAC of 16 bits, of as many samples as `room`, which holds them now."""
    try:
        with Forward(descriptor, closefd=False) as file:
            return (
                (file.samplerate, file.channels, file.subtype, file.frames) == (RATE, 1, "PCM_16", len(room))
                and file.buffer_read_into(room, "int16") == len(room)
            )  # fmt: skip
    except soundfile.LibsndfileError:
        return False

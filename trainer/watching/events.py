"""Event files: what TensorBoard reads, written in order, each point once.

    RUN/tensorboard/steps/events.out.tfevents.000002.dsprep     a record for each event; a run that goes on adds a file

A record is its length (8 bytes), a checksum (4), an Event and a checksum (4). What earlier files have of steps that
will come again is taken out of them, and each file begins with a session's start: the second that a TensorBoard sees
tells it to forget these steps, if it is looking. SummaryWriter leaves them in the files, and not every reader forgets
texts; it also writes from a thread, where a full disk prints a traceback and is not told to the caller.
"""

import io
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...manifests import MissingExtraError
from ...manifests.ctc import RATE
from ...pipeline.commit import write_all, write_whole, writing
from ...pipeline.sound.audio import Pcm, encode

try:
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.plugins.text.metadata import create_summary_metadata
    from tensorboard.summary.writer.record_writer import RecordWriter, masked_crc32c
except ImportError as error:
    raise MissingExtraError(
        "the board needs more: pip install tensorboard (dsprep's extra 'tensorboard'), or leave --tensorboard out"
    ) from error

VERSION = "brain.Event:2"
"""Of the format: from 2 on, a session's start says what to forget."""
BINS = 64
"""Of a histogram, from its lowest value to its highest; TensorBoard draws 30."""
SECONDS = 15
"""After which what was written is there to be read."""


class Events:
    """A folder of event files, the newest of them open at its end."""

    def __init__(self, folder: Path, first: int) -> None:
        """Go on with step `first`: what earlier files have of it and later ones is taken out.

        Raises:
            OutputError: it cannot be read or written.
        """
        self._buffer, self._written = io.BytesIO(), time.monotonic()
        self._records = RecordWriter(self._buffer)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            earlier = sorted(folder.glob("events.out.tfevents.[0-9]*.dsprep"))
            for path in earlier:
                _trim(path, first)
            number = int(earlier[-1].name.split(".")[-2]) + 1 if earlier else 1
            self.path = folder / f"events.out.tfevents.{number:06d}.dsprep"
            self._file = self.path.open("xb", buffering=0)
        self.fresh = not earlier
        """Whether there were none before."""
        self._add(Event(file_version=VERSION))
        self._add(Event(step=first, session_log=SessionLog(status=SessionLog.START)))
        self.flush()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """A point in each of these curves."""
        self._summary(step, [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])

    def histogram(self, step: int, tag: str, values: NDArray[np.float64]) -> None:
        """How often values occur; there must be at least one, and all must be finite."""
        counts, edges = np.histogram(values, BINS)
        found = HistogramProto(
            min=values.min(),
            max=values.max(),
            num=len(values),
            sum=values.sum(),
            sum_squares=(values * values).sum(),
            bucket_limit=edges.tolist(),
            bucket=[0, *counts.tolist()],
        )
        self._summary(step, [Summary.Value(tag=tag, histo=found)])

    def audio(self, step: int, tag: str, pcm: Pcm) -> None:
        """A clip to listen to."""
        clip = Summary.Audio(
            sample_rate=RATE,
            num_channels=1,
            length_frames=len(pcm),
            encoded_audio_string=bytes(encode(pcm, "wav")),
            content_type="audio/wav",
        )
        self._summary(step, [Summary.Value(tag=tag, audio=clip)])

    def text(self, step: int, tag: str, text: str) -> None:
        """A text, as Markdown."""
        tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode("utf-8", "replace")])
        value = Summary.Value(tag=tag, metadata=create_summary_metadata("", ""), tensor=tensor)
        self._summary(step, [value])

    def flush(self) -> None:
        """Write what is still here.

        Raises:
            OutputError: the disk is full or failed.
        """
        with writing(self.path):
            write_all(self._file, self._buffer.getvalue())
        self._buffer.seek(0)
        self._buffer.truncate()
        self._written = time.monotonic()

    def close(self) -> None:
        """Write what is still here, and let go of the file."""
        try:
            self.flush()
        finally:
            self._file.close()

    def _summary(self, step: int, values: list[Summary.Value]) -> None:
        self._add(Event(step=step, summary=Summary(value=values)))
        if time.monotonic() - self._written > SECONDS:
            self.flush()

    def _add(self, event: Event) -> None:
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())


def _trim(path: Path, first: int) -> None:
    """Take out of a file what it has of step `first` and later ones, and what is torn."""
    kept = sum(len(record) for record in _records(path, first))
    if kept < path.stat().st_size:
        write_whole(path, _records(path, first))


def _records(path: Path, first: int) -> Iterator[bytes]:
    """The whole records of earlier steps, as they lie in a file."""
    with path.open("rb") as file:
        while len(head := file.read(12)) == 12 and head[8:] == masked_crc32c(head[:8]).to_bytes(4, "little"):
            size = int.from_bytes(head[:8], "little")
            rest = file.read(size + 4)
            try:
                event = Event.FromString(rest[:size])
            except DecodeError:
                return
            if len(rest) < size + 4:
                return
            if event.step < first:
                yield head + rest

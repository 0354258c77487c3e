"""Transcribing: sounds of any length in, transcripts out, in the order of the sounds, in bounded memory.

    for outcome in transcribe(model, sources, decoder):
        ...                                             a Transcript, or a Failure that names what could not be heard

A sound of up to 30 s is heard whole. A longer one is heard as a stream, where the model can; else in windows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from ...manifests import DataError, UsageError
from ...manifests.ctc import RATE
from ...pipeline.sound.audio import Pcm, Unreadable
from ..acoustic.acoustic import AcousticModel
from ..decoding.decoder import Decoder
from .batching import Asked, Begin, Broken, End, Heard, answered
from .pieces import Pieces
from .sources import Source
from .transcript import Segment, Transcript, segment_of
from .windows import WHOLE, Window, windows_of

BATCH_SECONDS = 120.0
"""Of a batch, with its padding."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A sound that could not be heard."""

    name: str
    reason: str


Outcome = Transcript | Failure


def transcribe(
    model: AcousticModel,
    sources: Iterable[Source],
    decoder: Decoder,
    batch_seconds: float = BATCH_SECONDS,
    pause: int | None = None,
) -> Iterator[Outcome]:
    """What is said in each source. With a `pause`, that many steps without a word begin another segment.

    Raises:
        TrainingError: the model's outputs are no numbers.
        UsageError: a batch does not fit in the device's memory.
    """
    alphabet = model.alphabet
    name, pieces, segments = "", Pieces(alphabet, pause), list[Segment]()
    for one in answered(model, _asked(model, sources), batch_seconds):
        match one:
            case Begin():
                name, pieces, segments = one.source.name, Pieces(alphabet, pause), []
            case Heard():
                segments += [segment_of(piece, decoder) for piece in pieces.take(one.log_probs_TV)]
            case Broken():
                yield Failure(name, one.reason)
            case End():
                if rest := pieces.pending:
                    segments.append(segment_of(rest, decoder))
                yield Transcript(
                    name=name,
                    seconds=round(one.seconds, 4),
                    segments=tuple(segments),
                    spaced=" " in alphabet.characters,
                )


def hears_streams(model: AcousticModel) -> bool:
    """Whether a model can hear a sound while it comes."""
    try:
        model.stream()
    except UsageError:
        return False
    return True


class _Counted:
    """Blocks of sound, and how many samples were in those that were taken."""

    def __init__(self, blocks: Iterable[Pcm]) -> None:
        self._blocks, self.samples = blocks, 0

    def __iter__(self) -> Iterator[Pcm]:
        for block_N in self._blocks:
            self.samples += len(block_N)
            yield block_N


def _asked(model: AcousticModel, sources: Iterable[Source]) -> Iterator[Asked]:
    streams = hears_streams(model)
    for source in sources:
        yield Begin(source)
        try:
            with source.sound() as blocks:
                counted = _Counted(blocks)
                yield from _carried(model, counted) if streams else windows_of(counted)
        except (Unreadable, DataError) as error:
            yield Broken(str(error))
        except OSError as error:
            yield Broken(error.strerror or str(error))
        else:
            yield End(counted.samples / RATE) if counted.samples else Broken("it holds no sound")


def _carried(model: AcousticModel, blocks: Iterable[Pcm]) -> Iterator[Window | Heard]:
    """A sound that is short as a window, beside others; a longer one as a stream, alone."""
    coming, held, samples = iter(blocks), list[Pcm](), 0
    for block_N in coming:
        held.append(block_N)
        samples += len(block_N)
        if samples > WHOLE:
            break
    else:
        yield from windows_of(held)
        return
    stream = model.stream()
    for block_N in chain(held, coming):
        yield Heard(stream.feed(block_N))
    yield Heard(stream.end())

"""Live: what is said in a stream while it comes, in segments that end at pauses.

    live = Live(model.stream(), decoder, alphabet)
    for segment in live.feed(pcm_N):            those that have ended now
        ...
    live.so_far                                 what is being said: "three ni"
    live.end()                                  the last segment, if there is one

It holds no more than half a minute of what has come.
"""

from ...manifests import Alphabet
from ...pipeline.sound.audio import Pcm
from ..acoustic.acoustic import AcousticStream
from ..decoding.decoder import Decoder
from .pieces import PAUSE, Pieces
from .transcript import Segment, segment_of


class Live:
    """One stream. `pause` is how many steps of 20 ms without a word end a segment."""

    def __init__(self, stream: AcousticStream, decoder: Decoder, alphabet: Alphabet, pause: int = PAUSE) -> None:
        self._stream, self._decoder = stream, decoder
        self._pieces = Pieces(alphabet, pause)
        self._spoken = 0
        self.so_far: Segment | None = None
        """What was said after the last segment that has ended; None for nothing."""

    def feed(self, pcm_N: Pcm) -> list[Segment]:
        """The segments that have ended now that these samples have come.

        Raises:
            TrainingError: the model's outputs are no numbers.
        """
        ended = [segment_of(piece, self._decoder) for piece in self._pieces.take(self._stream.feed(pcm_N))]
        self._look(bool(ended))
        return ended

    def end(self) -> list[Segment]:
        """The segments that are left, for nothing more comes."""
        ended = [segment_of(piece, self._decoder) for piece in self._pieces.take(self._stream.end())]
        rest, self.so_far = self._pieces.pending, None
        return [*ended, segment_of(rest, self._decoder)] if rest else ended

    def _look(self, ended: bool) -> None:
        """Decode what is being said, if there is more of it than there was."""
        spoken = self._pieces.spoken
        if ended or spoken != self._spoken:
            pending = self._pieces.pending
            self.so_far = segment_of(pending, self._decoder) if pending else None
        self._spoken = spoken

"""Hearing standard input: what is said, a line an utterance, while it is said if the model can.

    -       three nine eight five
    ~       four si                         with --partial; on a terminal one line that is written anew
    -       four six nine

Ctrl-C ends the input: what was heard until then is shown.
"""

from __future__ import annotations

import io
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

import click

from ..manifests import DataError, Interrupted, UsageError
from ..pipeline.tables import printable, width
from .showing import notice
from .transcribing import pace, show_json

if TYPE_CHECKING:
    from ..pipeline.sound.audio import Pcm
    from ..trainer.acoustic.acoustic import AcousticModel
    from ..trainer.decoding.decoder import Decoder
    from ..trainer.transcribing.transcript import Segment

ANEW = "\r\x1b[K"
"""Begins a line of a terminal again, empty (ECMA-48, EL)."""
STOPPED = "stopped; what was heard until then is shown"
NOTHING = "standard input holds no sound: send raw 16 kHz mono samples of 16 bits, or a WAV"
AGAIN = 1.0
"""Seconds after which another Ctrl-C is a second one: `timeout`, for one, sends each signal twice."""


def hear(model: AcousticModel, decoder: Decoder, as_json: bool, partial: bool, batch_seconds: float) -> None:
    """Show what is said in standard input.

    Raises:
        DataError: it is no sound that is read here.
        Interrupted: it was ended by Ctrl-C.
        UsageError: it is a terminal.
    """
    from ..trainer.acoustic.threads import one_thread
    from ..trainer.transcribing.transcribing import hears_streams

    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "standard input is no pipe: send sound into it, as arecord -f S16_LE -r 16000 | dsprep transcribe RUN -"
        )
    screen = Screen(as_json, partial)
    if hears_streams(model):
        with one_thread():
            _live(model, decoder, screen)
    else:
        notice("this model hears whole utterances: their text comes when the input has ended")
        _whole(model, decoder, screen, batch_seconds)


class Screen:
    """Where segments are shown: a terminal, whose last line is written anew, or a file."""

    def __init__(self, as_json: bool, partial: bool) -> None:
        self._as_json, self._partial = as_json, partial
        self._terminal = sys.stdout.isatty() and not as_json
        self._shown = ""

    def ended(self, segment: Segment) -> None:
        """Show a segment that is certain."""
        if not segment.text:
            return
        if self._as_json:
            show_json({"path": "-", **segment.whole_facts()})
        else:
            click.echo(f"{ANEW if self._terminal else ''}-\t{printable(segment.text)}")
        self._shown = ""

    def so_far(self, segment: Segment | None) -> None:
        """Show what is being said, if it is wanted and not shown yet."""
        text = printable(segment.text) if segment else ""
        if text == self._shown or segment is None or not (self._partial or self._terminal):
            return
        if self._as_json:
            show_json({"path": "-", **segment.whole_facts(), "partial": True})
        elif self._terminal:
            click.echo(f"{ANEW}{_tail(text, shutil.get_terminal_size().columns - 1)}", nl=False)
        else:
            click.echo(f"~\t{text}")
        self._shown = text


class Coming:
    """The sound of standard input, until it ends or Ctrl-C does: that breaks off waiting for more, and nothing else."""

    def __init__(self) -> None:
        self.waited = 0.0
        """Seconds, for sound that had not come yet."""
        self._asked: list[float] = []
        self._waiting = False

    @property
    def stopped(self) -> bool:
        """Whether Ctrl-C has ended it."""
        return bool(self._asked)

    def __iter__(self) -> Iterator[Pcm]:
        from ..trainer.transcribing.pipe import pcm_from

        before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            coming = pcm_from(cast(io.BufferedReader, sys.stdin.buffer))
            while (pcm_N := self._next(coming)) is not None:
                yield pcm_N
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _next(self, coming: Iterator[Pcm]) -> Pcm | None:
        since = time.monotonic()
        try:
            self._waiting = True
            found = None if self.stopped else next(coming, None)
            self._waiting = False
        except KeyboardInterrupt:
            found, self._waiting = None, False
        self.waited += time.monotonic() - since
        return found

    def _ask(self, number: int, frame: Any) -> None:
        self._asked.append(time.monotonic())
        if self._waiting or self._asked[-1] - self._asked[0] > AGAIN:
            raise KeyboardInterrupt


def _live(model: AcousticModel, decoder: Decoder, screen: Screen) -> None:
    from ..manifests.ctc import RATE
    from ..trainer.transcribing.live import Live

    live, coming, samples, began = Live(model.stream(), decoder, model.alphabet), Coming(), 0, time.monotonic()
    for pcm_N in coming:
        samples += len(pcm_N)
        for segment in live.feed(pcm_N):
            screen.ended(segment)
        screen.so_far(live.so_far)
    for segment in live.end():
        screen.ended(segment)
    _finish(samples / RATE, time.monotonic() - began - coming.waited, coming.stopped)


def _whole(model: AcousticModel, decoder: Decoder, screen: Screen, batch_seconds: float) -> None:
    from ..trainer.transcribing.pieces import PAUSE
    from ..trainer.transcribing.sources import Source
    from ..trainer.transcribing.transcribing import Failure, transcribe

    coming, began = Coming(), time.monotonic()
    source = Source(name="-", sound=lambda: nullcontext(iter(coming)))
    (outcome,) = transcribe(model, [source], decoder, batch_seconds, PAUSE)
    if isinstance(outcome, Failure):
        if coming.stopped:
            raise Interrupted(STOPPED)
        told = outcome.reason
        raise DataError(told if told.startswith("standard input") else NOTHING)
    for segment in outcome.segments:
        screen.ended(segment)
    _finish(outcome.seconds, time.monotonic() - began - coming.waited, coming.stopped)


def _finish(seconds: float, busy: float, stopped: bool) -> None:
    if stopped:
        raise Interrupted(STOPPED)
    if not seconds:
        raise DataError(NOTHING)
    notice(pace(seconds, busy))


def _tail(text: str, columns: int) -> str:
    """The last words of a text that fit in so many columns."""
    words = text.split(" ")
    while len(words) > 1 and width(" ".join(words)) > columns:
        del words[0]
    return " ".join(words)

"""Hearing standard input: what is said, a line an utterance, while it is said if the model can.

    -       three nine eight five
    ~       four si                         with --partial; on a terminal one line that is written anew
    -       four six nine

Ctrl-C ends the input: what was heard until then is shown.
"""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

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


def _live(model: AcousticModel, decoder: Decoder, screen: Screen) -> None:
    from ..manifests.ctc import RATE
    from ..trainer.transcribing.live import Live
    from ..trainer.transcribing.pipe import pcm_from

    live, samples, busy, stopped = Live(model.stream(), decoder, model.alphabet), 0, 0.0, False
    try:
        for pcm_N in pcm_from(_coming()):
            began = time.monotonic()
            for segment in live.feed(pcm_N):
                screen.ended(segment)
            screen.so_far(live.so_far)
            samples += len(pcm_N)
            busy += time.monotonic() - began
    except KeyboardInterrupt:
        stopped = True
    for segment in live.end():
        screen.ended(segment)
    _finish(samples / RATE, busy, stopped)


def _whole(model: AcousticModel, decoder: Decoder, screen: Screen, batch_seconds: float) -> None:
    from ..trainer.transcribing.pieces import PAUSE
    from ..trainer.transcribing.pipe import pcm_from
    from ..trainer.transcribing.sources import Source
    from ..trainer.transcribing.transcribing import Failure, transcribe

    stopped, ended = False, time.monotonic()

    def until_stopped() -> Iterator[Pcm]:
        nonlocal stopped, ended
        try:
            yield from pcm_from(_coming())
        except KeyboardInterrupt:
            stopped = True
        ended = time.monotonic()

    @contextmanager
    def sound() -> Iterator[Iterator[Pcm]]:
        yield until_stopped()

    (outcome,) = transcribe(model, [Source(name="-", sound=sound)], decoder, batch_seconds, PAUSE)
    if isinstance(outcome, Failure):
        if stopped:
            raise Interrupted(STOPPED)
        told = outcome.reason
        raise DataError(told if told.startswith("standard input") else f"standard input: {told}")
    for segment in outcome.segments:
        screen.ended(segment)
    _finish(outcome.seconds, time.monotonic() - ended, stopped)


def _coming() -> io.BufferedReader:
    return cast(io.BufferedReader, sys.stdin.buffer)


def _finish(seconds: float, busy: float, stopped: bool) -> None:
    if stopped:
        raise Interrupted(STOPPED)
    if not seconds:
        raise DataError("standard input holds no sound: send raw 16 kHz mono samples of 16 bits, or a WAV")
    notice(pace(seconds, busy))


def _tail(text: str, columns: int) -> str:
    """The last words of a text that fit in so many columns."""
    words = text.split(" ")
    while len(words) > 1 and width(" ".join(words)) > columns:
        del words[0]
    return " ".join(words)

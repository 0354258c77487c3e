"""`dsprep transcribe`: what is said in recordings, a line each.

    talks/a.wav     three nine eight five
    talks/b.flac    four six nine
    627.2 s of audio in 2.2 s: 285 times as fast as it was spoken (real-time factor 0.004)

The last line goes to standard error, and so does what could not be heard.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..manifests import DataError, UsageError
from ..pipeline.places import Cache, Place
from ..pipeline.tables import printable
from .caching import cached, indexing
from .decoding import decoding_options
from .extras import TRAIN, need
from .options import NumberRange, device_option, path_type, place_type, threads_asked
from .progress import show_progress
from .showing import notice
from .stopping import if_interrupted

if TYPE_CHECKING:
    from ..trainer.decoding.decoding import Decoding
    from ..trainer.transcribing.places import Places
    from ..trainer.transcribing.transcribing import Outcome
    from ..trainer.transcribing.transcript import Transcript

STDIN = Path("-")
STOPPED = "interrupted: the inputs after the last line were not heard"


@click.command()
@click.argument("model", type=path_type)
@click.argument("inputs", nargs=-1, required=True, type=place_type, metavar="INPUT...")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line, with words, times, confidence.")
@click.option("--srt", is_flag=True, help="Write SubRip subtitles, NAME.srt beside NAME.wav.")
@click.option("--vtt", is_flag=True, help="Write WebVTT subtitles, NAME.vtt beside NAME.wav.")
@click.option("--out", type=path_type, help="Folder for the subtitles of all inputs.")
@click.option("--partial", is_flag=True, help="Of standard input, print what is being said before it is certain.")
@click.option(
    "--batch-seconds",
    type=NumberRange(1, 1e6),
    default=120,
    show_default=True,
    help="Audio that is heard at once; less takes less memory, and changes no text.",
)
@decoding_options
@device_option
@cached
def transcribe(
    model: Path,
    inputs: tuple[Place, ...],
    as_json: bool,
    srt: bool,
    vtt: bool,
    out: Path | None,
    partial: bool,
    batch_seconds: float,
    device: str | None,
    cache: Cache,
    decoding: Decoding,
) -> None:
    """Print what MODEL, a run or an export, hears in each INPUT: audio, a folder, a manifest, shards, or - for a pipe.

    A line an input: its path, a tab, the text. A pipe carries raw 16 kHz mono samples of 16 bits, or a WAV.
    """
    endings = [ending for ending, wanted in (("srt", srt), ("vtt", vtt)) if wanted]
    _check(inputs, endings, out, partial)
    from ..trainer.acoustic.opening import is_run, open_model
    from ..trainer.transcribing.places import places_of
    from ..trainer.transcribing.sources import sources_of
    from ..trainer.transcribing.transcribing import Failure
    from ..trainer.transcribing.transcribing import transcribe as transcribe_all
    from .hearing import hear

    if is_run(model):
        need("train", *TRAIN)
    if STDIN in inputs:
        opened = open_model(model, device, notice, threads_asked())
        hear(opened, decoding.decoder(opened.alphabet, notice), as_json, partial, batch_seconds)
        return
    with if_interrupted(STOPPED), show_progress() as progress:
        sources = sources_of(inputs, indexing(cache, progress))
        places = places_of(sources, endings, out)
        opened = open_model(model, device, notice, threads_asked())
        decoder = decoding.decoder(opened.alphabet, notice)
        began, seconds, failed = time.monotonic(), 0.0, 0
        outcomes = transcribe_all(opened, sources, decoder, batch_seconds)
        for number, (outcome, mine) in enumerate(zip(outcomes, places, strict=True), 1):
            seconds += _told(outcome, mine, as_json)
            failed += isinstance(outcome, Failure)
            if number < len(sources):
                progress("transcribing", number, len(sources), "inputs")
    if seconds:
        notice(pace(seconds, time.monotonic() - began))
    if failed:
        raise DataError(f"{failed} of {len(sources)} inputs could not be heard; what is wrong with each is told above")


def pace(audio: float, clock: float) -> str:
    """How fast it went; both in seconds."""
    clock = max(clock, 1e-3)
    return (
        f"{audio:.1f} s of audio in {clock:.1f} s: {audio / clock:.3g} times as fast as it was spoken "
        f"(real-time factor {clock / audio:.3f})"
    )


def _check(inputs: tuple[Place, ...], endings: list[str], out: Path | None, partial: bool) -> None:
    if out and not endings:
        raise UsageError("--out is a folder for subtitles: ask for them with --srt or --vtt")
    if STDIN not in inputs:
        if partial:
            raise UsageError("--partial tells of standard input while it comes: name - as the input")
        return
    if len(inputs) > 1:
        raise UsageError("- is standard input, which is heard alone: name no other input beside it")
    if endings:
        raise UsageError(f"--{endings[0]} writes beside a file, and - has none: write the sound to a file first")


def _told(outcome: Outcome, places: Places, as_json: bool) -> float:
    """Show what came of an input; the seconds of sound that were heard."""
    from tqdm import tqdm

    from ..trainer.transcribing.transcribing import Failure

    with tqdm.external_write_mode(file=sys.stderr):
        if isinstance(outcome, Failure):
            notice(f"{outcome.name}: {outcome.reason}")
            if as_json:
                show_json({"path": outcome.name, "error": outcome.reason})
            return 0.0
        if as_json:
            show_json(outcome.facts())
        else:
            click.echo(f"{printable(outcome.name)}\t{printable(outcome.text)}")
    _save(outcome, places)
    return outcome.seconds


def show_json(facts: object) -> None:
    """A line of JSON; in ASCII if a terminal could not show it as it is, as names of files that are no UTF-8."""
    line = json.dumps(facts, ensure_ascii=False)
    click.echo(line if line.isprintable() else json.dumps(facts))


def _save(transcript: Transcript, places: Places) -> None:
    from ..pipeline.commit import write_whole
    from ..trainer.transcribing.subtitles import FORMS, cues_of

    for ending, path in places.items():
        write_whole(path, FORMS[ending](cues_of(transcript.words)))

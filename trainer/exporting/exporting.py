"""Exporting: a run's best checkpoint as ONNX files, held against PyTorch before anything is written.

    OUT/model.onnx  OUT/model.stream.onnx  OUT/model.json  OUT/README.md

An export that says something else than PyTorch leaves no file.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from onnx import checker, load_model_from_string

from ...manifests import OutputError, Progress, TrainingError, UsageError, silent
from ...pipeline.commit import TEMPORARY, discard, sweep, write_whole, writing
from ..acoustic.opening import CHECKPOINTS
from ..acoustic.run import hearing
from ..loading.data import Data
from ..training.checkpoint import best
from .card import EXPLAINED, card
from .checking import Check, check_made, check_stream, made_clips
from .drafting import Draft, Drafts, drafts, in_int8, measured
from .facts import Quantised
from .hours import hours_an_epoch
from .judging import Judged, judge
from .precise import Precise
from .wire import is_exported

CARD, FACTS = "README.md", "model.json"
MOST_CHANGE = 0.005
"""By how much 8 bits may raise the word error rate, as a fraction of the words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    files: tuple[tuple[str, int], ...]
    """Names and bytes."""
    check: Check
    words: float | None
    """Word error rate of float32 on the data, as a fraction; None without data."""
    quantised: Quantised | None
    whole_only: str
    """Why there is no stream; empty if there is."""


def export(
    run: Path,
    out: Path,
    data: Data | None = None,
    int8: bool = False,
    most_change: float = MOST_CHANGE,
    progress: Progress = silent,
    on_notice: Callable[[str], None] = lambda notice: None,
) -> Exported:
    """Write a run's best checkpoint as ONNX files into the folder `out`, checked on made sounds and on `data`.

    Raises:
        UsageError: int8 without data to measure it on, or worse on them by more than `most_change`.
        OutputError: `out` is no folder for it, or cannot be written.
        TrainingError: the run has no whole checkpoint, or the files say something else than it does.
    """
    if int8 and data is None:
        raise UsageError("what --int8 costs must be measured: name data with --data, as those that chose the model")
    _check_place(out)
    found = best(run, on_notice)
    heard = hearing(found, "cpu")
    truth, plain = Precise(heard), drafts(heard, found.origin)
    check, small = verified(truth, plain), in_int8(plain) if int8 else None
    judged = judge(truth, plain, small, data, heard.standing.config.batch, progress) if data else None
    quantised = None
    if small and judged and data:
        quantised = _accepted(judged, data, most_change)
        small = measured(small, quantised)
    files = [*plain.files, *(small.files if small else ())]
    if judged:
        check += judged.check
    page = card(plain.whole.facts, files, check, hours_an_epoch(run), quantised)
    _write(out, plain, files, page)
    words = judged.words.rate if judged else None
    sizes = tuple((draft.name, len(draft.data)) for draft in files)
    return Exported(files=sizes, check=check, words=words, quantised=quantised, whole_only=plain.whole.facts.whole_only)


def verified(truth: Precise, plain: Drafts) -> Check:
    """Hold files in float32 against PyTorch on made sounds.

    Raises:
        TrainingError: they are no sound ONNX, or say something else.
    """
    for draft in plain.files:
        try:
            checker.check_model(load_model_from_string(draft.data), full_check=True)
        except checker.ValidationError as error:
            raise TrainingError(f"{draft.name} would be no sound ONNX, nothing is exported: {error}") from error
    exported, clips = plain.opened(), made_clips()
    done = check_made(truth, exported, plain.whole.name)
    if plain.stream:
        done += check_stream(zip(clips, exported.log_probs(clips), strict=True), exported, plain.stream.name)
    return done


def _accepted(judged: Judged, data: Data, most_change: float) -> Quantised:
    if not judged.words.words:
        raise UsageError("the transcripts of --data have no words: name others, for --int8 is measured on them")
    found = Quantised(
        utterances=judged.check.clips,
        data=data.digest,
        wer=judged.words.rate,
        wer_int8=judged.int8.rate,
        difference=float(f"{judged.int8_difference:.2g}"),
    )
    if found.wer_int8 - found.wer > most_change:
        raise UsageError(
            f"int8 has a WER of {found.wer_int8:.2%} where float32 has {found.wer:.2%}, worse by more than "
            f"{most_change:.2%}: leave --int8 out, or accept it with --most-change"
        )
    return found


def _check_place(out: Path) -> None:
    """Make sure that a folder may be written as an export."""
    if out.suffix == ".onnx":
        raise UsageError(f"{out}: name a folder, the files in it have names of their own; {out.stem} for example")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file: name a folder")
    if (out / CHECKPOINTS).exists():
        raise OutputError(f"{out} is a run: name another folder")
    sweep(out)
    if out.exists() and not _replaceable(out):
        raise OutputError(f"{out} holds something else than an export: name another folder")


def _replaceable(out: Path) -> bool:
    """Whether a folder is empty, or an export, even if one that was killed, when its list of files is missing."""
    names = {path.name for path in out.iterdir() if not TEMPORARY.fullmatch(path.name)}
    listed = FACTS in names and _lists(out / FACTS)
    return not names or listed or any(is_exported(out / name) for name in names & EXPLAINED.keys() - {FACTS})


def _lists(path: Path) -> bool:
    """Whether a model.json is ours: others call files so too."""
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and {"alphabet", "checkpoint", "features", "files"} <= told.keys()


def _write(out: Path, plain: Drafts, files: list[Draft], page: str) -> None:
    """All files; that which lists them is the first to go and the last to come."""
    with writing(out):
        discard(out / FACTS)
        for name in EXPLAINED.keys() - {draft.name for draft in files}:
            discard(out / name)
    digests = [write_whole(out / draft.name, draft.data) for draft in files]
    write_whole(out / CARD, page.encode())
    told = json.loads(plain.whole.facts.text())
    del told["seal"]
    if plain.stream and plain.stream.facts.feeding:
        told["feeding"] = asdict(plain.stream.facts.feeding)
    told["files"] = [asdict(one) for one in digests]
    write_whole(out / FACTS, json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n")

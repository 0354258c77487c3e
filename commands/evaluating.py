"""`dsprep evaluate`: the error rates of a trained model, or of two and whether one is better.

    WER   0.38%   0.10% to  0.76%  (2 errors in 525 words: 2 substituted, 0 left out, 0 put in)
    CER   0.08%   0.00% to  0.20%  (2 errors in 2583 characters: 0 substituted, 2 left out, 0 put in)
    SER   2.00%   1.00% to  4.00%  (2 of 100 utterances have an error)
    95% intervals: 1000 bootstrap resamples of 24 speakers

Errors are added up over all clips; a rate is computed last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..manifests import DataError, UsageError
from ..pipeline.places import Cache, Place
from ..pipeline.tables import printable
from .caching import cached, indexing
from .decoding import decoding_options
from .extras import TRAIN, need
from .figures import json_option, save
from .options import device_option, path_type, place_type, readers_option
from .progress import show_progress
from .rates import difference_line, rate_lines
from .showing import notice
from .stopping import if_interrupted

if TYPE_CHECKING:
    from ..trainer.decoding.decoding import Decoding
    from ..trainer.scoring.difference import Difference
    from ..trainer.scoring.evaluated import Evaluated

SEED_REPORT = "deepspeech-0.1"
STOPPED = "interrupted: nothing is kept of an evaluation; type the same command to begin it again"


@click.command()
@click.argument("run", type=path_type)
@click.argument("data", nargs=-1, type=place_type, metavar="[OTHER] DATA...")
@click.option("--normalise", help="Text profile for references and hypotheses.  [default: keep]")
@click.option("--stm", multiple=True, type=path_type, help="STM file to take the references from.")
@click.option("--report", type=path_type, help="Folder for report.html and for files that sclite reads.")
@json_option("rates, counts and texts")
@click.option("--profile", type=click.Choice([SEED_REPORT]), help="Print the report of DeepSpeech 0.1 too.")
@decoding_options
@device_option
@readers_option
@cached
def evaluate(
    run: Path,
    data: tuple[Place, ...],
    normalise: str | None,
    stm: tuple[Path, ...],
    report: Path | None,
    json_file: Path | None,
    profile: str | None,
    device: str | None,
    workers: int,
    cache: Cache,
    decoding: Decoding,
) -> None:
    """Print the word, character and sentence error rates of a model on DATA, manifests or shard folders.

    RUN is a training run, of which the best checkpoint is taken, or an exported model; or what --json has written,
    which is scored again and needs no DATA. With OTHER, one more of these, both are evaluated, and whether their word
    error rates differ is said.
    """
    need("train", *TRAIN, *(["jinja2"] if report else []))
    from ..trainer.evaluating import Asked, evaluate_model, is_saved
    from ..trainer.loading.data import read_data
    from ..trainer.scoring.evaluated import read_evaluated
    from ..trainer.scoring.rules import rules_of
    from ..trainer.training.device import device_of
    from ..trainer.training.ranks import joined

    models, places = _models(run, data)
    if not (places or decoding.greedy):
        raise UsageError(f"{run} is an evaluation that was written, and is not decoded again: name a model and data")
    on = device_of(device)
    homes = list(_homes(report, models))
    with if_interrupted(STOPPED), joined(on) as ranks, show_progress(ranks.first) as progress:
        rules = ranks.once(lambda: rules_of("keep" if normalise is None else normalise, stm))
        saved = {one: ranks.once(partial(read_evaluated, one)) for one in models if is_saved(one)}
        on_notice = notice if ranks.first else lambda told: None
        if places:
            read = ranks.in_turn(lambda: read_data(places, indexing(cache, progress)))
            asked = Asked(
                data=read,
                device=on,
                decoding=decoding,
                progress=progress,
                on_notice=on_notice,
                workers=workers,
                ranks=ranks,
            )
        ranks.once(lambda: _make(homes))
        found = [saved[one] if one in saved else evaluate_model(one, asked) for one in models]
    if not ranks.first:
        return
    again = bool(normalise or stm)
    found = [one.by(rules) if again or model not in saved else one for one, model in zip(found, models, strict=True)]
    for told in found[0].rules.notices(found[0].evaluation):
        notice(told)
    difference = _difference(found)
    # What is found is told before it is written: a full disk then costs a file, and no evaluation.
    _tell(found, difference, profile, aside=str(json_file) == "-")
    save(json_file, _facts(found, difference))
    for one, home in zip(found, homes, strict=True):
        if home:
            _write_report(home, one)


def _models(run: Path, places: Sequence[Place]) -> tuple[list[Path], list[Place]]:
    """What is to be evaluated, and on what: models come first."""
    from ..trainer.evaluating import is_model, is_saved

    others = [place for place in places if isinstance(place, Path) and is_model(place)]
    models, data = [run, *others], [place for place in places if place not in others]
    if list(places) != [*others, *data] or len(models) > 2:
        raise UsageError("evaluate takes one run or two, and after them the data: dsprep evaluate RUN OTHER DATA...")
    if others and not data and not is_model(run):
        raise UsageError(f"{run} is no model, and {others[0]} is one: name models first, dsprep evaluate RUN DATA...")
    fresh = [one for one in models if not is_saved(one)]
    if fresh and not data:
        raise UsageError(f"evaluate needs data to evaluate {fresh[0]} on: name a manifest or a shard folder after it")
    if data and not fresh:
        raise UsageError(f"{run} is an evaluation that was written: it is scored again without data, name none")
    return models, data


def _difference(found: Sequence[Evaluated]) -> Difference | None:
    from ..trainer.scoring.difference import difference_of

    if len(found) < 2:
        return None
    first, second = found
    said = [[(heard.sample.id, heard.written.reference) for heard in one.evaluation.heard] for one in found]
    if said[0] != said[1]:
        raise DataError(f"{first.place} and {second.place} are not of the same utterances: evaluate both again")
    if first.rules.name != second.rules.name:
        raise DataError(
            f"{first.place} was scored by text profile {first.rules.name}, {second.place} by {second.rules.name}: "
            f"name one for both, as --normalise {first.rules.name}"
        )
    return difference_of(first.evaluation.heard, second.evaluation.heard)


def _facts(found: Sequence[Evaluated], difference: Difference | None) -> Any:
    if difference is None:
        return found[0].facts()
    return {"models": [one.facts() for one in found], "difference": difference.facts()}


def _tell(found: Sequence[Evaluated], difference: Difference | None, profile: str | None, aside: bool) -> None:
    from ..trainer.scoring.seed_report import seed_report

    for one in found:
        head = f"{f'{one.place}: ' if difference else 'model: '}{one.told}"
        click.echo(printable(head), err=aside or not difference)
        lines = list[str](rate_lines(one.evaluation.summary()))
        if profile == SEED_REPORT:
            lines += seed_report(one.evaluation, one.epoch)
        for line in lines:
            click.echo(printable(line), err=aside)
    if difference:
        first, second = (str(one.place) for one in found)
        click.echo(printable(difference_line(first, second, difference)), err=aside)


def _homes(report: Path | None, models: Sequence[Path]) -> Iterator[Path | None]:
    """A folder for each model's report: the one that is named, or for two models one in it for each."""
    if report is None or len(models) == 1:
        yield from [report] * len(models)
        return
    names = [model.resolve().name for model in models]
    yield from (report / (name if names.count(name) == 1 else f"{n}-{name}") for n, name in enumerate(names, 1))


def _make(homes: Sequence[Path | None]) -> None:
    """Make the folders of reports before anything is evaluated for them."""
    from ..pipeline.commit import writing

    for home in homes:
        if home:
            with writing(home):
                home.mkdir(parents=True, exist_ok=True)


def _write_report(home: Path, one: Evaluated) -> None:
    from ..trainer.reporting.report import write_report
    from ..trainer.scoring.sclite_files import write_sclite_files

    try:
        write_sclite_files(home, one.evaluation.heard)
    except DataError as error:
        notice(f"{home} gets no files for sclite: {error}")
    write_report(home, one.evaluation, one.title, one.shown())

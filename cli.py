"""The command line: one function a verb. Options in, one library call, what it returned printed.

Results go to standard output, everything else to standard error. Exit codes: 0 done; 1 an error that the
user can mend, in one line; 2 wrong usage; 130 interrupted, and the same command goes on.
Nothing heavy is imported before a command needs it, so that `dsprep --help` is instant.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import shlex
import signal
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from . import __version__
from .manifests import DsprepError, Interrupted, MissingExtraError, Progress, UsageError, one_of, size_text
from .pipeline.places import REMOTE, Cache, Place, place_of, url_text
from .pipeline.tables import printable

if TYPE_CHECKING:
    from .manifests import Alphabet
    from .pipeline.coverage import Coverage
    from .pipeline.formats import Format
    from .pipeline.report import ImportReport
    from .pipeline.shards.inventory import ShardReport
    from .pipeline.shards.shelf import Shelf
    from .pipeline.text import Profile
    from .pipeline.verdict import Verdict
    from .trainer.loading.streaming import Streamed
    from .trainer.training.checkpoint import EpochResult

TRAIN = ("torch", "safetensors", "jiwer", "webdataset")
"""What the extra `train` brings."""
CHARACTERS = 60
"""Of a coverage table, to be shown."""
SECONDS_BETWEEN_LINES = 10
"""Of progress, where there is no terminal to draw a bar on."""
SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


class Commands(click.Group):
    """The group of all verbs: turns the library's errors into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except DsprepError as error:
            raise click.ClickException(printable(str(error))) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read our output has had enough; click ends quietly
                raise
            # The library translates what it expects; what is left is the terminal's, or a disk's that went away.
            place = error.filename or "standard output"
            raise click.ClickException(printable(f"{place}: {error.strerror or error}")) from error
        except (Interrupted, KeyboardInterrupt) as stop:
            message = str(stop) or "interrupted; what is done is kept, type the same command to go on"
            click.echo(message, err=True)
            ctx.exit(130)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dsprep")
def main() -> None:
    """Speech corpora in, trainable shards out; DeepSpeech 1 and 2 to prove them good."""
    # A polite kill is an interruption like Ctrl-C: what is under way is finished or left behind as temporary.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


class LocalPath(click.Path):
    """A path on this machine: a URL would be taken for one with a folder called `s3:`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and REMOTE.match(value):
            raise UsageError(f"{url_text(value)}: this takes a path on this machine, not a URL")
        return super().convert(value, param, ctx)


class PlaceType(click.ParamType[Place]):
    """A path on this machine, or a URL."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        return place_of(value) if isinstance(value, str) else value


path_type = LocalPath(path_type=Path)
place_type = PlaceType()
workers_option = click.option(
    "--workers", type=click.IntRange(1, 1024), help="Processes at a time.  [default: one a core]"
)
readers_option = click.option(
    "--workers",
    type=click.IntRange(0, 1024),
    default=1,
    show_default=True,
    help="Threads that read and decode ahead; they change no result.",
)


def cached(command: Callable[..., None]) -> Callable[..., None]:
    """Options for where what can be made or fetched again is kept; the command gets them as one `Cache`."""

    @click.option(
        "--cache",
        "folder",
        type=path_type,
        help="Folder for what comes from URLs, and for indexes of other people's shards.  [default: ~/.cache/dsprep]",
    )
    @click.option("--cache-bytes", "most", default="10GB", show_default=True, help="Largest size of the clips in it.")
    @functools.wraps(command)
    def with_cache(folder: Path | None, most: str, **others: Any) -> None:
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        # A relative one is to be ignored (XDG Base Directory Specification 0.8).
        home = (named if named.is_absolute() else Path.home() / ".cache") / "dsprep"
        command(**others, cache=Cache(folder=folder or home, bytes=_size("--cache-bytes", most), on_notice=_notice))

    return with_cache


@main.command()
@click.option("--markdown", is_flag=True, help="As the table in README.")
def corpora(markdown: bool) -> None:
    """List the corpora that can be imported, with their parts, licences, sizes and what they need."""
    from .importers import CORPORA

    if markdown:
        click.echo("| corpus | what | parts | size | licence | needs |\n|---|---|---|---|---|---|")
    for corpus in CORPORA.values():
        needs = corpus.needs or "nothing: dsprep fetches it"
        if markdown:
            parts = ", ".join(f"`{part.name}`" for part in corpus.parts)
            what = f"[{corpus.title}]({corpus.homepage})" if corpus.homepage else corpus.title
            click.echo(f"| `{corpus.name}` | {what} | {parts} | {corpus.size} | {corpus.licence} | {needs} |")
            continue
        click.echo(f"{corpus.name}: {corpus.title}")
        parts = ", ".join(part.name for part in corpus.parts)
        facts = (corpus.homepage, parts, corpus.size, corpus.licence, needs)
        for name, text in zip(("page", "parts", "size", "licence", "needs"), facts, strict=True):
            lines = textwrap.wrap(text or "none", 87, break_on_hyphens=False)
            click.echo(f"    {name:<9}" + f"\n{' ' * 13}".join(lines))


@main.command("import")
@click.argument("corpus")
@click.argument("out", type=path_type)
@click.option(
    "--source",
    multiple=True,
    help="An archive, a folder of archives, an unpacked folder, a URL, or mdc:ID (key in MDC_API_KEY). Repeatable.",
)
@click.option("--part", multiple=True, help="A part to import, repeatable.  [default: all that the sources hold]")
@click.option("--only", multiple=True, metavar="FILTER", help="Rows to keep, as gender=female or 'up_votes>=3'.")
@click.option("--format", "form", type=click.Choice(["wav", "flac"]), default="wav", show_default=True)
@click.option("--channel", type=click.IntRange(1), help="Of audio with several, from 1.  [default: mix them]")
@click.option("--text", help="Text profile.  [default: the one that fits the corpus]")
@click.option("--alphabet", help="Leave out texts with characters not in FILE or `english`; `auto` collects them.")
@click.option("--model", type=click.Choice(["any", "ds1", "ds2"]), help="Whose steps a text must fit.  [default: any]")
@click.option("--min-seconds", type=click.FloatRange(0), help="Leave out shorter clips.")
@click.option("--max-seconds", type=click.FloatRange(0), help="Leave out longer clips.")
@click.option("--profile", help="Text and filters of an ancestor: deepspeech-0.1 or deepspeech-0.9.")
@click.option("--split", metavar="RATIOS", help="Cut each part by speakers, as train=0.8,dev=0.1,test=0.1.")
@click.option("--seed", default=0, show_default=True, help="Of the order of speakers in --split.")
@click.option("--without-ffmpeg", is_flag=True, help="Leave out what needs ffmpeg, if it is not installed.")
@workers_option
def import_(
    corpus: str,
    out: Path,
    source: tuple[str, ...],
    part: tuple[str, ...],
    only: tuple[str, ...],
    form: str,
    channel: int | None,
    text: str | None,
    alphabet: str | None,
    model: str | None,
    min_seconds: float | None,
    max_seconds: float | None,
    profile: str | None,
    split: str | None,
    seed: int,
    without_ffmpeg: bool,
    workers: int | None,
) -> None:
    """Import CORPUS into the folder OUT: manifests, 16 kHz audio, and a list of what was left out.

    Without --source the published archives are fetched. Killed or interrupted, the same command goes on.
    """
    from .importers import CORPORA
    from .pipeline.fetching.access import Access
    from .pipeline.importing import import_corpus
    from .pipeline.job import job
    from .pipeline.workers import available

    what = CORPORA[one_of("corpus", corpus, CORPORA)]
    if "" in source:
        raise UsageError("--source is empty: it takes an archive, a folder or a URL")
    names = [one.name for one in what.parts]
    asked = job(
        what,
        parts=[one_of(f"part of {corpus}", name, names) for name in dict.fromkeys(part)],
        sources=source,
        form=form,
        channel=None if channel is None else channel - 1,
        only=only,
        text=text,
        alphabet=alphabet,
        model=model,
        min_seconds=min_seconds,
        max_seconds=max_seconds,
        profile=profile,
        split=split,
        seed=seed,
        without_ffmpeg=without_ffmpeg,
    )
    with _progress() as progress:
        access = Access(mdc_key=os.environ.get("MDC_API_KEY", "").strip())
        report = import_corpus(asked, out, workers or available(), progress, access)
    _print_import(report, out)
    empty = [one.name for one in report.parts if one.name and one.name in (part or [one.name]) and not one.kept.rows]
    if (empty and part) or not any(one.kept.rows for one in report.parts):
        raise click.ClickException(f"nothing was kept of {', '.join(empty) or corpus}: see {out / 'rejected.csv'}")


def _print_import(report: ImportReport, out: Path) -> None:
    """What became of the rows, by part and by reason."""
    rows = [
        (
            one.name or "(of no part)",
            one.rows,
            one.kept.rows,
            _hours(one.kept.seconds),
            one.left_out.rows,
            _hours(one.left_out.seconds),
            f"{one.efficiency:.1%}",
        )
        for one in report.parts
    ]
    _table(("part", "rows", "kept", "hours", "left out", "hours", "efficiency"), rows)
    for one in report.parts:
        for split, tally in one.splits.items():
            click.echo(f"{one.name}-{split}: {tally.rows} rows, {_hours(tally.seconds)} h")
            if not tally.rows:
                click.echo(f"note: {one.name}-{split} is empty: there are too few speakers to split", err=True)
        for reason, count in one.reasons.items():
            hours = _hours(one.rejected[reason].seconds)
            click.echo(f"{one.name or '(of no part)'}: left out {count}, {hours} h: {reason}")
    if waiting := sum(one.reasons.get("no-decoder", 0) for one in report.parts):
        click.echo(f"note: {waiting} rows wait for ffmpeg: install it and type the same command again", err=True)
    if report.coverage:
        _print_coverage(report.coverage, out)
    for file in report.sources:
        if file.published is False:
            click.echo(f"note: {printable(file.name)} is not the published file (its digest differs)", err=True)
    click.echo(f"manifests in {out}; rows left out, with reasons, in {out / 'rejected.csv'}")


def _print_coverage(coverage: Coverage, out: Path) -> None:
    from .pipeline.coverage import HEADER

    rows = coverage.table()
    _left([HEADER, *rows[:CHARACTERS]])
    more = f"; {len(rows) - CHARACTERS} rarer ones are not shown" if len(rows) > CHARACTERS else ""
    click.echo(f"{len(rows)} characters, for --alphabet {out / 'alphabet.txt'}{more}")


@main.command()
@click.argument("manifests", nargs=-1, required=True, type=place_type)
@click.argument("out", type=place_type)
@click.option("--shard-bytes", help="Largest size of a shard.  [default: 256MB, if --shard-samples is not given]")
@click.option("--shard-samples", type=click.IntRange(1), help="Most samples in a shard.  [default: any number]")
@click.option("--seed", default=0, show_default=True, help="Of the order of samples.")
@click.option("--format", "form", default="keep", show_default=True, help="wav, flac, or keep: FLAC stays, else WAV.")
@click.option("--keep-order", is_flag=True, help="Keep the order of the manifests, as they are named.")
@click.option("--allow-rejects", is_flag=True, help="Exit with code 0 though some rows could not be taken in.")
@workers_option
@cached
def shard(
    manifests: tuple[Place, ...],
    out: Place,
    shard_bytes: str | None,
    shard_samples: int | None,
    seed: int,
    form: str,
    keep_order: bool,
    allow_rejects: bool,
    workers: int | None,
    cache: Cache,
) -> None:
    """Write the samples of MANIFESTS, of dsprep's shards or others', as webdataset tars into the folder OUT.

    Any of them may be a URL, OUT one of s3:// or gs://. WAV and FLAC of 16 kHz, mono, 16 bit go in as they are. A row
    whose audio cannot be had is listed in OUT/rejected.csv. Killed or interrupted, the same command goes on.
    """
    from .pipeline.shards.placement import FORMS, Sharding
    from .pipeline.shards.sharding import shard as write_shards
    from .pipeline.workers import available

    if shard_bytes is None and shard_samples is None:
        shard_bytes = "256MB"
    sharding = Sharding(
        shard_bytes=None if shard_bytes is None else _size("--shard-bytes", shard_bytes),
        shard_samples=shard_samples,
        seed=seed,
        form=one_of("format", form, FORMS),
        keep_order=keep_order,
    )
    with _progress() as progress:
        report = write_shards(
            manifests, _shelf(out, cache), sharding, workers or available(), progress, _told(cache, progress, workers)
        )
    _print_shards(report, out)
    if not report.samples:
        raise click.ClickException(f"nothing was taken in: {out / 'rejected.csv'} tells why")
    if report.left_out and not allow_rejects:
        raise click.ClickException(
            f"{report.rejected} rows are in no shard: mend what {out / 'rejected.csv'} tells of and type the same "
            "command again, or add --allow-rejects"
        )


def _shelf(out: Place, cache: Cache) -> Path | Shelf:
    """Where shards go."""
    if isinstance(out, Path):
        return out
    from .pipeline.cloud.remote_shelf import RemoteShelf

    return RemoteShelf(out, cache)


def _print_shards(report: ShardReport, out: Place) -> None:
    """How much was written, and by reason what was not."""
    written, hours = size_text(report.bytes), _hours(report.seconds)
    click.echo(f"{report.samples} samples, {hours} h, in {report.shards} shards, {written}: {out}")
    for reason, count in report.left_out:
        click.echo(f"left out {count}: {reason}")
    if report.oversized:
        _notice(
            f"note: {report.oversized} shards are larger than --shard-bytes: how large converted audio becomes can "
            "only be told where the manifest has the right duration"
        )
    if len(report.forms) > 1:
        _notice("note: the shards hold WAV and FLAC, which some readers do not take together: --format makes them one")


class ConvertCommand(click.Command):
    """A command whose help ends with the table of formats, looked up only then."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from .pipeline.formats import FORMATS

        with formatter.section("Formats"):
            formatter.write_dl([(one.name, _title(one)) for one in FORMATS.values()])


@main.command(cls=ConvertCommand)
@click.argument("source", type=path_type)
@click.argument("out", type=path_type)
@click.option("--to", required=True, help="Format to write.")
@click.option("--from", "by", help="Format of SOURCE.  [default: what it looks like]")
@click.option("--root", type=path_type, help="Where relative paths in SOURCE begin.  [default: its own folder]")
@click.option("--copy-audio", is_flag=True, help="Write the audio into OUT/audio instead of naming where it is.")
@workers_option
def convert(
    source: Path,
    out: Path,
    to: str,
    by: str | None,
    root: Path | None,
    copy_audio: bool,
    workers: int | None,
) -> None:
    """Write the data set SOURCE in another format into the folder OUT, and say what that cannot hold."""
    from .pipeline.converting import convert as convert_data
    from .pipeline.formats import FORMATS
    from .pipeline.workers import available

    target = FORMATS[one_of("format", to, FORMATS)]
    origin = FORMATS[one_of("format", by, FORMATS)] if by else None
    with _progress() as progress:
        report = convert_data(
            source,
            out,
            target,
            origin,
            root=root,
            copy_audio=copy_audio,
            workers=workers or available(),
            progress=progress,
        )
    for note in report.notes:
        _notice(f"note: {note}")
    click.echo(f"{report.samples} samples from {report.source.name} to {to}: {out / target.mains[0]}")


@main.command()
@click.argument("data", nargs=-1, required=True, type=place_type)
@click.option("--json", "json_file", type=path_type, help="Write everything to this file.")
@cached
def stats(data: tuple[Place, ...], json_file: Path | None, cache: Cache) -> None:
    """Show what DATA, manifests or shard folders, hold: clips, hours, speakers, words, lengths, further columns."""
    import shutil

    from .pipeline.inspection.stats import stats as stats_of
    from .pipeline.inspection.summary import stats_lines

    with _progress() as progress:
        found = stats_of(data, _told(cache, progress))
    aside = _save(json_file, found.facts())
    for line in stats_lines(found, shutil.get_terminal_size().columns):
        click.echo(line, err=aside)


@main.command()
@click.argument("data", nargs=-1, required=True, type=place_type)
@click.option(
    "--alphabet",
    "alphabet_file",
    type=path_type,
    help="alphabet.txt or labels.json.  [default: a-z, apostrophe, space]",
)
@click.option("--model", default="any", show_default=True, help="Whose steps a text must fit: ds1, ds2, or any.")
@click.option("--quick", is_flag=True, help="Decode no audio.")
@click.option("--json", "json_file", type=path_type, help="Write all findings to this file.")
@workers_option
@cached
def check(
    data: tuple[Place, ...],
    alphabet_file: Path | None,
    model: str,
    quick: bool,
    json_file: Path | None,
    workers: int | None,
    cache: Cache,
) -> None:
    """Look for what spoils training or its scores in DATA, manifests or shard folders; exit code 1 if there is any.

    Every clip is decoded. Notes, which a person may judge, do not count.
    """
    from .pipeline.inspection.checking import MODELS
    from .pipeline.inspection.checking import check as check_data
    from .pipeline.inspection.summary import check_lines, verdict
    from .pipeline.workers import available

    alphabet, model = _alphabet(alphabet_file), one_of("model", model, MODELS)
    try:
        with _progress() as progress:
            report = check_data(
                data,
                alphabet,
                model=model,
                quick=quick,
                workers=workers or available(),
                progress=progress,
                cache=_told(cache, progress, workers),
            )
    except KeyboardInterrupt as stop:
        raise Interrupted("interrupted; a check keeps nothing, the same command begins again") from stop
    aside = _save(json_file, report.facts())
    for line in check_lines(report):
        click.echo(line, err=aside)
    if report.errors:
        raise click.ClickException(f"{verdict(report)}: mend the errors, or take their rows out")
    click.echo(verdict(report), err=aside)


@main.command()
@click.argument("path", type=place_type)
@click.option("--deep", is_flag=True, help="Read and hash every byte; of shards, decode every clip.")
@click.option(
    "--repair",
    "sources",
    multiple=True,
    type=place_type,
    metavar="MANIFEST",
    help="Mend shards from MANIFEST, or a shard folder, or the URL of one, of which they were made. Repeatable.",
)
@workers_option
@cached
def verify(path: Place, deep: bool, sources: tuple[Place, ...], workers: int | None, cache: Cache) -> None:
    """Say whether what import, shard or convert wrote into PATH is complete, and if not, what is wrong where.

    PATH may be the URL of a folder of shards.
    """
    from .pipeline.shards.repair import repair
    from .pipeline.verdict import finding_lines
    from .pipeline.verify import verify as verify_folder
    from .pipeline.workers import available

    workers = workers or available()
    try:
        with _progress() as progress, _at_hand(path, bool(sources), cache, progress) as folder:
            if sources:
                cache = _told(cache, progress, workers)
                done = repair(folder, sources, workers=workers, progress=progress, cache=cache)
                verdict, mended = done.verdict, done.mended
            else:
                verdict, mended = verify_folder(folder, deep=deep, workers=workers, progress=progress), ()
    except KeyboardInterrupt as stop:
        raise Interrupted("interrupted; the same command begins again, what is mended stays mended") from stop
    for name in mended:
        click.echo(f"mended {printable(str(name))}")
    for line in finding_lines(verdict.findings, folder):
        click.echo(line)
    for unknown in verdict.unknown if isinstance(path, Path) else ():
        _notice(f"note: {unknown} was not written by dsprep")
    if verdict.findings:
        raise click.ClickException(_what_mends(path, verdict))
    click.echo(f"complete: {verdict.files} files, {'every byte' if deep or sources else 'sizes'} as written")


def _at_hand(place: Place, to_mend: bool, cache: Cache, progress: Progress) -> contextlib.AbstractContextManager[Path]:
    """A folder to verify: the one named, or one that stands for what lies behind a URL."""
    if isinstance(place, Path):
        return contextlib.nullcontext(place)
    if to_mend:
        raise UsageError(f"{place}: --repair mends a folder on this machine; remove what is damaged and shard again")
    from .pipeline.cloud.verifiable import verifiable

    return verifiable(place, cache, progress)


def _what_mends(place: Place, verdict: Verdict) -> str:
    """What to type about a damaged folder."""
    damaged = printable(f"{place} is damaged, findings: {len(verdict.findings)}")
    if not isinstance(place, Path):
        return f"{damaged}; remove these files there, and type the dsprep shard that made them once more"
    if verdict.kind == "shard":
        typed = printable(f"dsprep verify {shlex.quote(str(place))} --repair MANIFEST")
        return f"{damaged}; {typed} mends it, with the manifests that it was made of"
    return (
        f"{damaged}; dsprep {verdict.kind} with the same options mends what is missing or has another size; "
        "remove files with other bytes first"
    )


@main.command()
@click.option(
    "--train",
    "train_data",
    multiple=True,
    required=True,
    type=place_type,
    help="Manifest or shard folder, or the URL of one.",
)
@click.option(
    "--dev",
    "dev_data",
    multiple=True,
    required=True,
    type=place_type,
    help="Manifest or shard folder, or the URL of one.",
)
@click.option("--run", required=True, type=path_type, help="Folder for checkpoints; the same one goes on.")
@click.option("--config", "source", default="ds2-small", show_default=True, help="Preset or TOML file.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set one key of the config, as train.epochs=10.",
)
@click.option(
    "--alphabet",
    type=path_type,
    help="alphabet.txt or labels.json.  [default: a-z, apostrophe, space]",
)
@click.option("--device", help="cpu, cuda ...  [default: cuda if there is one]")
@click.option(
    "--stream",
    is_flag=True,
    help="Read the tars of --train from end to end, with no index: a run that was stopped begins its epoch again, and "
    "the number of steps is not known. See docs/loading.md.",
)
@readers_option
@cached
def train(
    train_data: tuple[Place, ...],
    dev_data: tuple[Place, ...],
    run: Path,
    source: str,
    settings: tuple[str, ...],
    alphabet: Path | None,
    device: str | None,
    stream: bool,
    workers: int,
    cache: Cache,
) -> None:
    """Train a model; run again, it goes on where it stopped, with the same weights as if it had not."""
    _need("train", *TRAIN)
    from .trainer.config import read_config
    from .trainer.loading.data import read_data
    from .trainer.training.training import train as train_model

    config = read_config(source, settings)
    with _progress() as progress:
        cache = _told(cache, progress)
        data = _stream(train_data) if stream else read_data(train_data, cache)
        dev = read_data(dev_data, cache)
    click.echo(f"training on {data.summary}; judged by {len(dev.samples)}", err=True)
    with _progress() as progress, _stop_after_step() as should_stop:
        standing = train_model(
            config,
            _alphabet(alphabet),
            data,
            dev,
            run,
            _device(device),
            progress,
            on_epoch=_print_epoch,
            on_notice=_notice,
            should_stop=should_stop,
            workers=workers,
        )
    best = standing.best
    click.echo(f"best after epoch {best.epoch}: WER {best.dev_words.rate:.2%} on the dev data; run kept in {run}")


@main.command()
@click.argument("run", type=path_type)
@click.argument("data", nargs=-1, required=True, type=place_type)
@click.option("--json", "json_file", type=path_type, help="Write rates, counts and texts to this file.")
@click.option("--device", help="cpu, cuda ...  [default: cuda if there is one]")
@readers_option
@cached
def evaluate(
    run: Path,
    data: tuple[Place, ...],
    json_file: Path | None,
    device: str | None,
    workers: int,
    cache: Cache,
) -> None:
    """Print the word and character error rates of RUN's best checkpoint on DATA, manifests or shard folders."""
    _need("train", *TRAIN)
    from .trainer.evaluation import evaluate as evaluate_run
    from .trainer.loading.data import read_data

    with _progress() as progress:
        read = read_data(data, _told(cache, progress))
        result, standing = evaluate_run(run, read, _device(device), progress, _notice, workers)
    click.echo(f"model: after epoch {standing.epoch}" + (f", batch {standing.step}" if standing.step else ""), err=True)
    aside = _save(json_file, result.facts())
    click.echo(_errors("WER", result.words, "words"), err=aside)
    click.echo(_errors("CER", result.characters, "characters"), err=aside)


@main.command()
@click.argument("out", type=path_type, default=Path("demo"))
@workers_option
def demo(out: Path, workers: int | None) -> None:
    """Do the main job once, offline, in the folder OUT: make speech, import, shard, train, evaluate."""
    _need("demo", *TRAIN, "espeakng-loader")
    from .pipeline.workers import available
    from .trainer.demo import run_demo

    with _progress() as progress, _stop_after_step() as should_stop:
        report = run_demo(out, workers or available(), progress, _print_epoch, should_stop)
    _table(("what", "", ""), tuple(report.lines()))
    click.echo("\nThe same with a real corpus (LibriSpeech's mini set, 0.5 GB):\n")
    for command in report.next_commands:
        click.echo(f"    {command}")


@main.group("text")
def text_() -> None:
    """Show what text profiles are, and what they make of a text."""


@text_.command("profiles")
def text_profiles() -> None:
    """List the text profiles with their rules, in the order in which they are applied."""
    from .pipeline.text import PROFILES

    rows = [("profile", "rule", "what it does")]
    for profile in PROFILES.values():
        rows += [(profile.name, "", profile.title), *(("", rule.name, rule.what) for rule in profile.rules)]
    _left(rows)


@text_.command("explain")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--text", "name", default="plain", show_default=True, help="Text profile.")
@click.option("--all", "every", is_flag=True, help="What each of the profiles makes of it, a line each.")
def text_explain(texts: tuple[str, ...], name: str, every: bool) -> None:
    """Show what a profile does to each TEXT, rule by rule; without TEXT, to each line of standard input."""
    from .manifests.utterance import check_text
    from .pipeline.text import PROFILES

    profile = PROFILES[one_of("text profile", name, PROFILES)]
    for index, text in enumerate(map(_typed, texts) if texts else _lines_of_input()):
        try:
            check_text("the text", text)
        except ValueError as error:
            raise UsageError(str(error)) from error
        if index:
            click.echo()
        outcomes = ((one.name, _explained(one, text)[-1][1]) for one in PROFILES.values())
        _left([("before", _quoted(text)), *outcomes] if every else _explained(profile, text))


def _explained(profile: Profile, text: str) -> list[tuple[str, str]]:
    """What a profile does to a text, as rows: before, each rule that did something, after if none refused."""
    from .pipeline.text import explain

    rows = [("before", _quoted(text))]
    for step in explain(profile, text):
        if step.refused is not None:
            return [*rows, (step.rule.name, f"refused: {printable(step.refused)}")]
        rows.append((step.rule.name, _quoted(step.text)))
    return [*rows, ("after", rows[-1][1])]


def _typed(text: str) -> str:
    """An argument, as UTF-8 where the locale could not read it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text).decode(errors="surrogateescape")
    return text


def _lines_of_input() -> Iterator[str]:
    """The lines of standard input, which is UTF-8 whatever the locale."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            text = line.decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UsageError(f"line {number} of standard input is not UTF-8") from error
        yield text


def _need(extra: str, *packages: str) -> None:
    """Raise MissingExtraError unless the packages of an extra can be imported."""
    import importlib.util

    missing = [name for name in packages if importlib.util.find_spec(name.replace("-", "_")) is None]
    if missing:
        raise MissingExtraError(f"this command needs more: pip install {' '.join(missing)} (dsprep's extra {extra!r})")


def _alphabet(path: Path | None) -> Alphabet:
    from .manifests import english, read_alphabet

    return read_alphabet(path) if path else english()


def _device(name: str | None) -> str:
    import torch

    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        if torch.device(name).type not in ("cpu", "cuda", "mps"):
            raise UsageError(f"--device {name}: name cpu, cuda, cuda:1 ... or mps")
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {name}: {str(error).splitlines()[0]}") from error
    return name


def _told(cache: Cache, progress: Progress, workers: int | None = None) -> Cache:
    """The cache for a command that indexes: by as many processes, and showing how far it is."""
    from .pipeline.workers import available

    return replace(cache, workers=workers or available(), progress=progress)


def _stream(places: Sequence[Place]) -> Streamed:
    """The shards that --train names, for --stream."""
    from .trainer.loading.streaming import open_stream

    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UsageError("--stream cannot give several processes equal shares: leave it out, or run one process")
    _notice("streaming: a run that was stopped begins its epoch again, and how many steps it has is not known")
    return open_stream(places)


def _title(one: Format) -> str:
    return one.title if one.read else f"{one.title} (--to only)"


def _size(option: str, text: str) -> int:
    number = text.upper().rstrip("BIKMG")
    unit = text.upper().removeprefix(number).strip() or "B"
    try:
        size = int(float(number) * SIZES[unit if unit.endswith("B") else unit + "B"])
    except (ValueError, KeyError, OverflowError):
        size = 0
    if size <= 0:
        raise UsageError(f"{option} {text}: a size is a number and a unit, as 256MB or 1GiB")
    return size


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """A tqdm bar a stage on a terminal; elsewhere a line now and then."""
    from tqdm import tqdm

    bars: dict[str, Any] = {}
    spoke = time.monotonic()

    def show(stage: str, done: int, total: int, unit: str) -> None:
        nonlocal spoke
        if stage not in bars:
            for bar in bars.values():
                bar.close()
            bars.clear()
            bars[stage] = tqdm(
                desc=stage,
                total=total or None,
                unit=unit,
                unit_scale=unit == "B",
                leave=False,
                disable=None,
            )
        bar = bars[stage]
        bar.update(done - bar.n)
        if bar.disable and time.monotonic() - spoke > SECONDS_BETWEEN_LINES:
            spoke = time.monotonic()
            click.echo(f"{stage}: {_amount(done, unit)}" + (f" of {_amount(total, unit)}" if total else ""), err=True)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


@contextlib.contextmanager
def _stop_after_step() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks for a stop after the step under way, with a checkpoint; a second one stops at once."""
    asked: list[float] = []

    def ask(number: int, frame: Any) -> None:
        asked.append(time.monotonic())
        if len(asked) == 1:
            click.echo("stopping after this step; once more stops at once", err=True)
        elif asked[-1] - asked[0] > 1:  # `timeout`, for one, sends each signal twice
            raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A notice of the library's as a note; a warning of Python's as Python shows it."""
    from .pipeline.cloud.blobs import CacheNotice

    if issubclass(category, CacheNotice):
        _notice(f"note: {message}")
    else:
        click.echo(warnings.formatwarning(message, category, filename, lineno, line), err=True, nl=False)


def _notice(notice: str) -> None:
    click.echo(printable(notice), err=True)


def _print_epoch(result: EpochResult) -> None:
    from tqdm import tqdm

    line = (
        f"epoch {result.epoch:>4}  loss {result.loss:8.3f}  dev loss {result.dev_loss:8.3f}  "
        f"WER {result.dev_words.rate:7.2%}  CER {result.dev_characters.rate:7.2%}"
    )
    with tqdm.external_write_mode(file=sys.stderr):
        click.echo(line)


def _errors(name: str, errors: Any, unit: str) -> str:
    return (
        f"{name} {errors.rate:7.2%}  ({errors.total} errors in {errors.words} {unit}: {errors.substitutions} "
        f"substituted, {errors.deletions} left out, {errors.insertions} put in)"
    )


def _table(header: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
    from .pipeline.tables import table

    for line in table(header, rows):
        click.echo(line)


def _save(path: Path | None, facts: Any) -> bool:
    """Write JSON to a file, or into what is there already if that is a pipe or a device; `-` is standard output.

    Whether it is, so that what is for people must go elsewhere.
    """
    from .pipeline.commit import write_whole, writing

    if path is None:
        return False
    data = json.dumps(facts, indent=1, ensure_ascii=False).encode() + b"\n"
    if str(path) == "-":
        click.echo(data.decode(), nl=False)
    elif path.exists() and not path.is_file():
        with writing(path), path.open("wb") as file:
            file.write(data)
    else:
        write_whole(path.resolve(), data)
    return str(path) == "-"


def _left(rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as their widest cell, all of them to the left."""
    from .pipeline.tables import table

    for line in table(rows[0], rows[1:], left=len(rows[0])):
        click.echo(line)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2f}"


def _amount(count: int, unit: str) -> str:
    return size_text(count) if unit == "B" else f"{count} {unit}"


def _quoted(text: str) -> str:
    """Text from data between quotation marks, so that spaces at its ends are seen."""
    return f'"{printable(text)}"'

"""The command line: the list of commands, and what their errors, warnings and interruptions come to.

Exit codes: 0 done; 1 an error that the user can mend, in one line; 2 wrong usage; 130 interrupted, and the same
command goes on. `dsprep --help` is instant: nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import errno
import signal
import warnings
from typing import Any, TextIO

import click

from . import __version__
from .commands.ancestors import import_model
from .commands.converting import convert
from .commands.corpora import corpora
from .commands.demo import demo
from .commands.evaluating import evaluate
from .commands.exporting import export
from .commands.importing import import_
from .commands.inspecting import check, stats
from .commands.lm import lm
from .commands.sharding import shard
from .commands.showing import notice
from .commands.texts import text
from .commands.training import train
from .commands.transcribing import transcribe
from .commands.verifying import verify
from .manifests import DsprepError, FailedElsewhere, Interrupted
from .pipeline.tables import printable

COMMANDS = (
    corpora,
    import_,
    shard,
    convert,
    stats,
    check,
    verify,
    train,
    evaluate,
    transcribe,
    export,
    lm,
    import_model,
    demo,
    text,
)


class Verbs(click.Group):
    """The group of all verbs: turns the library's errors into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except FailedElsewhere:
            ctx.exit(1)
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


@click.group(cls=Verbs, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dsprep")
def main() -> None:
    """Speech corpora in, trainable shards out; DeepSpeech 1 and 2 to prove them good."""
    # A polite kill is an interruption like Ctrl-C: what is under way is finished or left behind as temporary.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


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
        notice(f"note: {message}")
    else:
        click.echo(warnings.formatwarning(message, category, filename, lineno, line), err=True, nl=False)

"""`dsprep import-model`: a released model of mozilla/DeepSpeech or deepspeech.pytorch as a run of ours.

    from              DeepSpeech 0.6.1, frozen graph
    features          mfcc-deepspeech-0.5
    weights           47,224,861
    labels            29, blank 28
    alphabet          " abcdefghijklmnopqrstuvwxyz'", alphabet.txt beside it
    checkpoint        run/checkpoints/00000-000000.safetensors

Nothing in the file is run: see docs/ancestors.md.
"""

from __future__ import annotations

from pathlib import Path

import click

from ..pipeline.places import Cache
from .caching import cached
from .extras import TRAIN, need
from .options import alphabet_option, path_type
from .progress import show_progress
from .showing import show_table


@click.command("import-model")
@click.argument("source", metavar="NAME|FILE|URL", required=False)
@click.argument("run", type=path_type, required=False)
@click.option("--release", help="Of the model, as 0.6, where its file does not tell.")
@click.option("--list", "list_", is_flag=True, help="List the released models by name.")
@alphabet_option
@click.option("--keep-case", is_flag=True, help="Capitals stay capitals, where a model writes nothing else.")
@cached
def import_model(
    source: str | None,
    run: Path | None,
    release: str | None,
    list_: bool,
    alphabet_file: Path | None,
    keep_case: bool,
    cache: Cache,
) -> None:
    """Make RUN of a released model: a frozen graph (.pb, .pbmm), a package (.pth) or a checkpoint (.ckpt).

    `dsprep evaluate RUN` and `dsprep train --init RUN` take it from there. A released NAME comes before a file of that
    name, which is ./NAME.
    """
    need("train", *TRAIN)
    from ..manifests import UsageError, read_alphabet
    from ..trainer.ancestors.importing import import_model as import_file
    from ..trainer.ancestors.released import RELEASED, located

    if list_:
        show_table([("name", "what", "where"), *((name, one.what, one.url) for name, one in RELEASED.items())], left=3)
        return
    if source is None or run is None:
        raise UsageError(
            "name a model and a folder for it, as dsprep import-model deepspeech-0.9.3 run; --list lists them"
        )
    with show_progress() as progress:
        path, known = located(source, cache.folder / "models", progress)
        alphabet = read_alphabet(alphabet_file) if alphabet_file else None
        found = import_file(path, run, release or known, alphabet, progress, keep_case)
    facts = [
        ("from", found.origin),
        ("features", found.config.features),
        ("weights", f"{found.parameters:,}"),
        ("labels", f"{found.alphabet.size}, blank {found.alphabet.blank}"),
        ("alphabet", f"{''.join(found.alphabet.characters)!r}, {found.spelt}"),
        ("checkpoint", str(found.checkpoint)),
    ]
    show_table([("what", ""), *facts], left=2)

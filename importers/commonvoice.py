"""Common Voice: Mozilla's read and spontaneous speech in 280 languages, in the layouts of all its eras.

    cv_corpus_v1/cv-valid-train.csv                   2017: quoted CSV; see commonvoice_first.py
    cv-corpus-4-2019-12-10/train.tsv, clips/          releases 1 to 4: no folder for the language
    cv-corpus-19.0-2024-09-13/en/train.tsv, clips/    releases 5 and later; see commonvoice_releases.py
    cv-corpus-20.0-delta-2024-12-06/en/               what is new in a release, to be merged onto a full one
    sps-corpus-1.0-2025-09-05-en/                     spontaneous speech; see commonvoice_spontaneous.py

Which layout it is, the names of the tables tell. Layouts and columns: common-voice/cv-dataset, datasets/*/README.md.
"""

from . import commonvoice_first, commonvoice_releases, commonvoice_spontaneous
from .corpus import TARS, Corpus, Found, Part, Rows


def read(found: Found) -> Rows:
    """The rows of every table, whatever its era."""
    yield from commonvoice_first.read(found)
    yield from commonvoice_releases.read(found)
    yield from commonvoice_spontaneous.read(found)


COMMONVOICE = Corpus(
    name="commonvoice",
    title="Common Voice, all releases, scripted and spontaneous",
    homepage="https://commonvoice.mozilla.org/datasets",
    licence="CC0 1.0",
    size="up to 90 GB a language",
    needs="an account: get the archive of your language from https://mozilladatacollective.com, then name it with "
    "--source FILE; or set MDC_API_KEY to your API key and name the data set with --source mdc:ID",
    parts=tuple(
        Part(name=name)
        for name in (
            *(*commonvoice_releases.SPLITS, *commonvoice_releases.POOLS, commonvoice_releases.TRAIN_ALL),
            *commonvoice_first.PARTS,
            commonvoice_spontaneous.UNASSIGNED,
        )
    ),
    layout="cv-corpus-RELEASE-DATE/LANGUAGE/{train,dev,test,validated,invalidated,other}.tsv and clips/*.mp3; "
    "cv_corpus_v1/cv-valid-train.csv and its kin; sps-corpus-RELEASE-DATE-LANGUAGE/ss-corpus-LANGUAGE.tsv and audios/",
    texts=(*commonvoice_first.TEXTS, *commonvoice_releases.TEXTS, *commonvoice_spontaneous.TEXTS),
    audio=(*commonvoice_first.AUDIO, *commonvoice_releases.AUDIO, *commonvoice_spontaneous.AUDIO),
    archives=tuple(
        f"{name}*{end}" for name in ("cv-corpus-", "cv_corpus_v1", "sps-corpus-") for end in (*TARS, ".zip")
    ),
    read=read,
)

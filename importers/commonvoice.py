"""Common Voice: Mozilla's read and spontaneous speech in 280 languages, in the layouts of all its eras.

    cv_corpus_v1/cv-valid-train.csv                   2017: quoted CSV; see commonvoice_first.py
    cv-corpus-4-2019-12-10/train.tsv, clips/          releases 1 to 4: no folder for the language
    cv-corpus-19.0-2024-09-13/en/train.tsv, clips/    releases 5 and later; see commonvoice_releases.py
    cv-corpus-20.0-delta-2024-12-06/en/               what is new in a release, to be merged onto a full one
    sps-corpus-1.0-2025-09-05-en/                     spontaneous speech; see commonvoice_spontaneous.py

Which layout it is, the names of the tables tell. Layouts, columns and digests: common-voice/cv-dataset, datasets/
scripted-speech/README.md, spontaneous-speech/README.md and scripted-speech/cv-corpus-*.json.
"""

from . import commonvoice_first, commonvoice_releases, commonvoice_spontaneous
from .corpus import TARS, Corpus, Found, Part, Rows

DIGESTS = {
    "5.1-2020-06-22-en": "cb5903dc0775f96de81cd2fbaae4198be90a566cf3e9a0b2501111893d1dc98e",
    "5.1-2020-06-22-de": "be5f792b9a3916c030918f9ad655cc434ecd78038a8f1af3f5995fa78f10a778",
    "5.1-2020-06-22-fr": "ffda45f2006fb6092fb435c786cde422e38183f7837e9faa65cb273439cf369e",
    "20.0-2024-12-06-en": "cc7ba69840e96bb55c9f71ee56b2ddf0df67a5996fb2c24499d282c5a8e74e8a",
    "20.0-2024-12-06-es": "5b33a51daebcf91f7a4b86abb2c5265cb9e7068558cbe26de056ce0a38ab7401",
    "20.0-2024-12-06-fr": "c427bfa2ae2b710b4c085a7d4166cedbc362af67d8b889cee903792076239649",
    "25.0-2026-03-09-fr": "e7ea3e1413a59207bcac9275efdafe8307caea1a67d56082198c1515892ec2ac",
    "25.0-2026-03-09-it": "486958feed03d52d2cccc7aa35807c8bf7b118011c1c672b762107c4bc59a80f",
    "25.0-2026-03-09-ja": "983c8b9f02f68f3ad24ceb340446799f51dfc0dd0bcf249fccd811c7c4a24dc3",
}
"""sha256 of some archives; there are hundreds, and each release has a table of its own."""


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
    digests={f"cv-corpus-{name}.tar.gz": f"sha256:{digest}" for name, digest in DIGESTS.items()},
    read=read,
)

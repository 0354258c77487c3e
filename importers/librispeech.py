"""LibriSpeech: 982 hours of read English (Panayotov et al., ICASSP 2015), and its 7-hour mini set.

    LibriSpeech/dev-clean/1272/128104/1272-128104-0000.flac
    LibriSpeech/dev-clean/1272/128104/1272-128104.trans.txt
        1272-128104-0000 MISTER QUILTER IS THE APOSTLE OF THE MIDDLE CLASSES
    LibriSpeech/SPEAKERS.TXT
        1272 | M | dev-clean        |  8.05 | John Rose

A file name is speaker, chapter, utterance. Audio is FLAC, 16 kHz, mono. Sizes: OpenSLR 12 and 31;
sha256: pytorch/audio and tensorflow/datasets; md5 of the mini set: OpenSLR 31's md5sum.txt, as PaddleSpeech has it.
"""

from collections.abc import Iterable

from .corpus import Archive, Corpus, Found, Part, Rows, TextFile, row

SPEAKERS = "SPEAKERS.TXT"

Extras = tuple[tuple[str, str], ...]


def read(found: Found) -> Rows:
    """One row a line of each `.trans.txt`: the id, a space, the words."""
    (part,) = found.parts
    known = _speakers(file for file in found.texts if file.path.name == SPEAKERS)
    for file in found.texts:
        if file.path.name == SPEAKERS:
            continue
        folder = file.path.parent
        for place, line in file.lines():
            name, _, text = line.partition(" ")
            speaker = name.partition("-")[0]
            audio, extras = str(folder / f"{name}.flac"), known.get(speaker, ())
            yield part, row(place, id=name, audio=audio, text=text, speaker=speaker, extras=extras)


def _speakers(files: Iterable[TextFile]) -> dict[str, Extras]:
    """Gender and name of each speaker; a name may hold the separator."""
    known: dict[str, Extras] = {}
    for file in files:
        for _, line in file.lines():
            cells = [cell.strip() for cell in line.split("|", 4)]
            if not line.startswith(";") and len(cells) == 5:
                known[cells[0]] = (("gender", cells[1]), ("name", cells[4]))
    return known


def _part(resource: int, name: str, size: int, *digest: str) -> Part:
    url = f"https://www.openslr.org/resources/{resource}/{name}.tar.gz"
    return Part(name=name, archives=(Archive(url=url, bytes=size, digest=":".join(digest)),))


LIBRISPEECH = Corpus(
    name="librispeech",
    title="LibriSpeech",
    homepage="https://www.openslr.org/12/",
    licence="CC BY 4.0",
    size="61.8 GB",
    parts=(
        _part(12, "dev-clean", 337926286,
              "sha256", "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3"),
        _part(12, "dev-other", 314305928,
              "sha256", "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365"),
        _part(12, "test-clean", 346663984,
              "sha256", "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23"),
        _part(12, "test-other", 328757843,
              "sha256", "d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29"),
        _part(12, "train-clean-100", 6387309499,
              "sha256", "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2"),
        _part(12, "train-clean-360", 23049477885,
              "sha256", "146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf"),
        _part(12, "train-other-500", 30593501606,
              "sha256", "ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2"),
        _part(31, "dev-clean-2", 126046265, "md5", "6d7ab67ac6a1d2c993d050e16d61080d"),
        _part(31, "train-clean-5", 332954390, "md5", "5df7d4e78065366204ca6845bb08f490"),
    ),
    layout="LibriSpeech/PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt and .flac files beside it",
    texts=("*/{part}/*.trans.txt", f"*/{SPEAKERS}"),
    audio=("*/{part}/*.flac",),
    read=read,
)  # fmt: skip

"""LDC93S1: the one sentence that LDC gives away from TIMIT, 2.9 seconds, the smallest corpus there is.

    LDC93S1.wav
    LDC93S1.txt
        0 46797 She had your dark suit in greasy wash water all year.

The text line is the first and the last sample, then the words. Audio is WAV, 16 kHz, mono.
"""

from ..manifests import BadRow
from .corpus import Archive, Corpus, Found, Part, Rows, row

_URL = "https://catalog.ldc.upenn.edu/desc/addenda/LDC93S1"


def read(found: Found) -> Rows:
    """One row a line: two sample numbers, then the words."""
    (part,) = found.parts
    for file in found.texts:
        audio = file.path.with_suffix(".wav")
        for place, line in file.lines():
            words = line.split()
            if len(words) >= 2 and words[0].isdecimal() and words[1].isdecimal():
                yield part, row(place, id=audio.stem, audio=str(audio), text=" ".join(words[2:]))
            else:
                yield part, BadRow(place=place, detail=f"{line!r} does not begin with two sample numbers")


LDC93S1 = Corpus(
    name="ldc93s1",
    title="LDC93S1 (one TIMIT sentence)",
    homepage="https://catalog.ldc.upenn.edu/LDC93S1",
    licence="LDC sample, free of charge",
    size="93.7 kB",
    parts=(
        Part(
            name="ldc93s1",
            archives=(
                Archive(
                    url=f"{_URL}.wav",
                    bytes=93638,
                    digest="sha256:c7e8b51db10ec6a2aea8c92376f2b88af14c2b4950ed82db3d605a4b718c8f35",
                ),
                Archive(
                    url=f"{_URL}.txt",
                    bytes=62,
                    digest="sha256:0b4ffafce18d6ec0df273c0189202a7c186cd0bbb9b40659490f5f2ad99e70a5",
                ),
            ),
        ),
    ),
    layout="LDC93S1.wav and LDC93S1.txt side by side",
    texts=("*/LDC93S1.txt",),
    audio=("*/LDC93S1.wav",),
    read=read,
)

"""TED-LIUM: talks from TED in STM, in its three releases (Rousseau et al., LREC 2012 and 2014; Hernandez et al., 2018).

    TEDLIUM_release2/train/stm/AlGore_2009.stm
        AlGore_2009 1 AlGore_2009 15.24 27.35 <o,f0,male> and one of them <unk> is ...
    TEDLIUM_release2/train/sph/AlGore_2009.sph
    TEDLIUM_release-3/data/{stm,sph}/             release 3: the talks for training
    TEDLIUM_release-3/legacy/{dev,test}/{stm,sph}/

Audio is SPHERE, 16 kHz, mono, PCM16. The segments of release 3 are cut anew, so it is not to be mixed with the
others. Tags, pronunciation variants and split words are what the text profile `tedlium` is for.
sha256: pytorch/audio, torchaudio/datasets/tedlium.py.
"""

from .corpus import Archive, Corpus, Found, Part, Rows
from .stm import read_talks


def _corpus(release: int, resource: int, archive: str, size: str, sha256: str, folders: dict[str, str]) -> Corpus:
    archives = (
        Archive(url=f"https://www.openslr.org/resources/{resource}/{archive}", bytes=None, digest=f"sha256:{sha256}"),
    )

    def read(found: Found) -> Rows:
        """The segments of each table, which lies in the folder of its part."""
        for file in found.texts:
            for part in found.parts:
                if f"/{folders[part]}/stm/" in f"/{file.name}":
                    for one in read_talks(file, found.audio):
                        yield part, one

    return Corpus(
        name=f"tedlium{release}",
        title=f"TED-LIUM release {release}",
        homepage=f"https://www.openslr.org/{resource}/",
        licence="CC BY-NC-ND 3.0",
        size=size,
        parts=tuple(Part(name=part, archives=archives, folder=folder) for part, folder in folders.items()),
        layout=", ".join(f"{folder}/stm/*.stm and {folder}/sph/*.sph" for folder in folders.values()),
        texts=("*/{part}/stm/*.stm",),
        audio=("*/{part}/sph/*.sph",),
        read=read,
        profile="tedlium",
    )


_SPLIT = {"train": "train", "dev": "dev", "test": "test"}
_LEGACY = {"train": "data", "dev": "legacy/dev", "test": "legacy/test"}

TEDLIUM1 = _corpus(
    1,
    7,
    "TEDLIUM_release1.tar.gz",
    "about 21 GB",
    "30301975fd8c5cac4040c261c0852f57cfa8adbbad2ce78e77e4986957445f27",
    _SPLIT,
)
TEDLIUM2 = _corpus(
    2,
    19,
    "TEDLIUM_release2.tar.gz",
    "about 35 GB",
    "93281b5fcaaae5c88671c9d000b443cb3c7ea3499ad12010b3934ca41a7b9c58",
    _SPLIT,
)
TEDLIUM3 = _corpus(
    3,
    51,
    "TEDLIUM_release-3.tgz",
    "about 51 GB",
    "ad1e454d14d1ad550bc2564c462d87c7a7ec83d4dc2b9210f22ab4973b9eccdb",
    _LEGACY,
)

"""Common Voice's first release, November 2017, English only: seven tables in CSV, each with a folder of clips.

    cv_corpus_v1/cv-valid-train.csv
        filename,text,up_votes,down_votes,age,gender,accent,duration
        cv-valid-train/sample-000000.mp3,learn to recognize omens and follow them the old king had said,1,0,,,,
    cv_corpus_v1/cv-valid-train/sample-000000.mp3
    cv-valid-train/cv-valid-train/sample-000000.mp3     where Kaggle's copy has it

Speakers are not told. Samples are numbered anew in each table, so an id has its table's name before it.
"""

from pathlib import PurePosixPath

from .columns import TableRow, rows
from .corpus import Found, Rows, made_id, row

PARTS = (
    *("cv-valid-train", "cv-valid-dev", "cv-valid-test"),
    *("cv-other-train", "cv-other-dev", "cv-other-test", "cv-invalid"),
)
TEXTS = tuple(f"*/{part}.csv" for part in PARTS)
AUDIO = tuple(f"*/{part}/*.mp3" for part in PARTS)


def read(found: Found) -> Rows:
    """One row a line of each table."""
    for file in found.texts:
        part = file.path.stem
        if part not in PARTS or file.path.suffix != ".csv":
            continue
        for one in rows(file, ("filename", "text")):
            if not isinstance(one, TableRow):
                yield part, one
                continue
            name = PurePosixPath(one.cells["filename"])
            places = [file.path.parent / name, file.path.parent / name.parent / name]
            audio = next((str(place) for place in places if str(place) in found.audio), str(places[0]))
            fields = {"text": one.cells["text"], "extras": one.extras("filename", "text")}
            yield part, row(one.place, id=made_id(f"{part}-{name.stem}"), audio=audio, **fields)

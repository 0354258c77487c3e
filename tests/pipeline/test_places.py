from pathlib import Path

import pytest

from dsprep.manifests import DataError, UsageError
from dsprep.pipeline.places import Url, home_of, manifest_of, place_of, url_of
from dsprep.pipeline.samples import name_of

SECRET = "X-Amz-Signature=5ecret"


def test_what_is_no_url_is_a_path() -> None:
    for text in ("data/train.csv", "/data", "s3:/speech/x", "pipe:cat x", "C:x", ""):
        assert place_of(text) == Path(text)


def test_a_url_is_parted_and_put_together_again() -> None:
    assert url_of("s3://speech/a/b.csv") == Url("s3", "speech", "a/b.csv")
    assert url_of("GS://speech/") == Url("gs", "speech", "")
    assert str(url_of("s3://speech/")) == "s3://speech"
    assert str(url_of("s3://speech") / "000000.tar") == "s3://speech/000000.tar"
    assert str(url_of("https://example.org/a%20b/") / "c d/é.csv") == "https://example.org/a%20b/c%20d/%C3%A9.csv"
    assert str(url_of("s3://speech/a b") / "c d.tar") == "s3://speech/a b/c d.tar"
    assert url_of("http://127.0.0.1:8000/x").host == "127.0.0.1:8000"
    assert [url_of("https://a.org/b/c%20d.csv").name, url_of("s3://speech").name] == ["c d.csv", "speech"]
    assert url_of("s3://speech/a/b.csv").parent == url_of("s3://speech/a")


def test_a_query_goes_along_and_is_never_shown() -> None:
    url = url_of(f"https://example.org/train.csv?{SECRET}")
    for one in (url, url.parent, url.parent / "000000.tar"):
        assert one.whole.endswith(f"?{SECRET}")
        assert "5ecret" not in f"{one} {one!r} {one.name}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ftp://example.org/x", "only s3://, gs:// and https:// are read"),
        ("file:///data", "only s3://"),
        (f"http://example.org/x?{SECRET}", "http can be read and changed on its way"),
        ("http://127.0.0.1.example.org/x", "http can be read and changed on its way"),
        (f"https://me:5ecret@example.org/x?{SECRET}", "has a name or password in it"),
        ("https:///x", "is not a URL of data"),
        ("s3://", "is not a URL of data"),
        ("s3://speech/a/../b", "is not a URL of data"),
        ("https://example.org/%2e%2e/b", "is not a URL of data"),
        ("s3://speech/a?versionId=5ecret", "is not a URL of data"),
        ("gs://speech/a#1", "is not a URL of data"),
        ("https://[x/", "is not a URL"),
    ],
)
def test_what_is_not_read_is_told_without_its_secrets(text: str, what: str) -> None:
    with pytest.raises(UsageError) as told:
        place_of(text)
    assert what in str(told.value)
    assert "5ecret" not in str(told.value)


def test_a_url_without_a_cache_is_told() -> None:
    with pytest.raises(UsageError, match="s3://speech/x: what is read from a URL needs a cache folder"):
        manifest_of(url_of("s3://speech/x"))


def test_a_folder_is_its_manifest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no manifest\.csv"):
        manifest_of(tmp_path)
    (tmp_path / "manifest.csv").touch()
    assert manifest_of(tmp_path) == tmp_path / "manifest.csv"
    assert manifest_of(tmp_path / "train.csv") == tmp_path / "train.csv"


def test_a_data_set_is_called_by_its_csv_or_folder() -> None:
    places = ["data/train.csv", "data/train", "data/train/manifest.csv", "s3://b/train", "s3://b/train/manifest.csv"]
    assert {name_of(place_of(one)) for one in places} == {"train"}
    assert name_of(url_of(f"https://example.org/a/train.csv?{SECRET}")) == "train"
    assert str(home_of(url_of("s3://b/train/manifest.csv"))) == "s3://b/train"

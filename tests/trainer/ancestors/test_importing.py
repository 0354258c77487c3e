"""Models of ancestors become runs: from files, archives and URLs, and nothing is left where they cannot."""

import functools
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dsprep.manifests import Alphabet, DsprepError, FetchError, MissingExtraError, SourceError, UsageError, english
from dsprep.manifests.progress import silent
from dsprep.pipeline.fetching.access import Access, Patience
from dsprep.pipeline.hashing import sha256_of
from dsprep.trainer.ancestors.importing import import_model
from dsprep.trainer.ancestors.released import RELEASED, Released, located
from dsprep.trainer.config import PROFILES, Config, DeepSpeech1Config, DeepSpeech2Config, TrainConfig
from dsprep.trainer.evaluating import Asked, evaluate_model
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.models import build_model
from dsprep.trainer.training.checkpoint import best, weights_of
from dsprep.trainer.training.standing import Origin
from dsprep.trainer.training.training import train

ALPHABET = b"# two letters\na\nb\n"
QUICK = Access(patience=Patience(attempts=1, pause_seconds=0.01, timeout_seconds=5))


def graph_bytes(frozen: Any, release: str = "0.6", **sizes: int) -> bytes:
    data: bytes = frozen.graph(release, frozen.weights(release, **sizes)).SerializeToString()
    return data


def test_a_run_made_of_a_graph_has_its_logits(frozen: Any, tmp_path: Path) -> None:
    weights = frozen.weights("0.5")
    (tmp_path / "output_graph.pb").write_bytes(frozen.graph("0.5", weights).SerializeToString())
    imported = import_model(tmp_path / "output_graph.pb", tmp_path / "run")
    assert imported.origin == "mozilla/DeepSpeech 0.5"
    assert imported.parameters == sum(p.size for pair in [*weights.dense.values(), *weights.cells] for p in pair)
    found = best(tmp_path / "run", print)
    standing = found.standing
    assert found.path == imported.checkpoint
    assert standing.origin == Origin(name="output_graph.pb", sha256=sha256_of(tmp_path / "output_graph.pb"))
    assert (standing.config, standing.alphabet) == (imported.config, english())
    assert standing.config.features == "mfcc-deepspeech-0.5"
    model = build_model(standing.config, 494, standing.alphabet.size).eval()
    model.load_state_dict(weights_of(found.tensors))
    features = np.random.default_rng(3).normal(0, 2, (1, 30, 494)).astype(np.float32)
    with torch.inference_mode():
        logits_BTV, _ = model(torch.from_numpy(features), [30])
    assert np.abs(logits_BTV[0].numpy() - weights.logits(features[0])).max() < 1e-5


def test_a_run_that_was_imported_can_be_evaluated(frozen: Any, digits: Path, tmp_path: Path) -> None:
    (tmp_path / "g.pb").write_bytes(graph_bytes(frozen, "0.1"))
    import_model(tmp_path / "g.pb", tmp_path / "run")
    data = read_data([digits / "dev-clean.csv"])
    found = evaluate_model(tmp_path / "run", Asked(data=data, device=torch.device("cpu")))
    assert len(found.evaluation.heard) == len(data.samples) > 0
    assert 0 < found.evaluation.loss < float("inf")
    assert found.epoch == found.step == 0


def test_a_run_begins_with_an_imported_one(frozen: Any, digits: Path, tmp_path: Path) -> None:
    (tmp_path / "g.pb").write_bytes(graph_bytes(frozen, "0.1"))
    imported = import_model(tmp_path / "g.pb", tmp_path / "ancestor")
    data = read_data([digits / "dev-clean.csv"])
    learning = TrainConfig(epochs=1, rate=1e-12, weight_decay=0.0)
    config = Config(features=imported.config.features, model=imported.config.model, train=learning)
    standing = train(config, english(), data, data, tmp_path / "run", init=tmp_path / "ancestor")
    assert standing.origin == best(tmp_path / "ancestor", print).origin
    before, after = (weights_of(best(tmp_path / name, print).tensors) for name in ("ancestor", "run"))
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)


@pytest.mark.parametrize("name", ["models.tar.gz", "models.tar"])
def test_an_archive_brings_its_graph_and_its_alphabet(frozen: Any, make: Any, tmp_path: Path, name: str) -> None:
    members = {
        "models/lm.binary": b"x" * 70_000,
        "models/._output_graph.pb": b"junk",
        "models/alphabet.txt": ALPHABET,
        "models/output_graph.pbmm": b"never read",
        "../../models/output_graph.pb": graph_bytes(frozen, "0.2", labels=3),
    }
    imported = import_model(make.tar(tmp_path / name, members), tmp_path / "run")
    assert imported.alphabet == Alphabet(("a", "b"), 2)
    assert imported.config.features == "mfcc-deepspeech-0.2"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "run"]), "nothing is unpacked"


def test_the_alphabet_beside_a_graph_is_its_own_unless_another_is_given(frozen: Any, tmp_path: Path) -> None:
    (tmp_path / "g.pb").write_bytes(graph_bytes(frozen, labels=3))
    (tmp_path / "alphabet.txt").write_bytes(ALPHABET)
    assert import_model(tmp_path / "g.pb", tmp_path / "one").alphabet == Alphabet(("a", "b"), 2)
    given = Alphabet(("x", "y"), 2)
    assert import_model(tmp_path / "g.pb", tmp_path / "two", alphabet=given).alphabet == given


def test_the_alphabet_is_looked_for_beside_a_link_and_beside_what_it_leads_to(frozen: Any, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "g.pb").write_bytes(graph_bytes(frozen, labels=3))
    (tmp_path / "there" / "alphabet.txt").write_bytes(ALPHABET)
    (tmp_path / "link.pb").symlink_to(tmp_path / "there" / "g.pb")
    found = import_model(tmp_path / "link.pb", tmp_path / "run")
    assert (found.alphabet, found.spelt) == (Alphabet(("a", "b"), 2), "alphabet.txt beside it")


def test_what_lies_beside_a_graph_with_an_alphabet_is_not_read(frozen: Any, tmp_path: Path) -> None:
    (tmp_path / "g.pb").write_bytes(graph_bytes(frozen, "0.7"))
    (tmp_path / "alphabet.txt").write_bytes(b"\xff\nab\n")
    assert import_model(tmp_path / "g.pb", tmp_path / "run").spelt == "the model's own"


def test_same_model_gives_the_same_bytes(frozen: Any, tmp_path: Path) -> None:
    (tmp_path / "g.pb").write_bytes(graph_bytes(frozen))
    made = [import_model(tmp_path / "g.pb", tmp_path / name).checkpoint.read_bytes() for name in ("one", "two")]
    assert made[0] == made[1]


def network() -> dict[str, torch.Tensor]:
    """The weights of a small network of ours."""
    return build_model(Config(model=DeepSpeech2Config(channels=2, hidden=4, layers=1)), 161, 3).state_dict()


def package(ours: dict[str, torch.Tensor]) -> dict[str, Any]:
    """The same as a package of deepspeech.pytorch."""
    theirs = {
        "conv1": "conv.seq_module.0",
        "norm1": "conv.seq_module.1",
        "conv2": "conv.seq_module.3",
        "norm2": "conv.seq_module.4",
        "layers.0.recurrent.forwards": "rnns.0.rnn",
        "norm": "fc.0.module.0",
        "dense": "fc.0.module.1",
    }
    state = {}
    for name, tensor in ours.items():
        home, _, last = name.rpartition(".")
        back = "layers.0.recurrent.backwards"
        state[f"rnns.0.rnn.{last}_reverse" if home == back else f"{theirs[home]}.{last}"] = tensor
    return {"state_dict": state, "labels": "_A ", "version": "0.0.1"}


def test_a_package_of_torch_becomes_a_run(tmp_path: Path) -> None:
    ours = network()
    torch.save(package(ours), tmp_path / "m.pth")
    imported = import_model(tmp_path / "m.pth", tmp_path / "run")
    assert (imported.alphabet, imported.spelt) == (Alphabet(("a", " "), 0), "the model's own, upper case as lower case")
    kept = import_model(tmp_path / "m.pth", tmp_path / "kept", keep_case=True)
    given = import_model(tmp_path / "m.pth", tmp_path / "given", alphabet=Alphabet(("A", " "), 0))
    assert kept.alphabet == given.alphabet == Alphabet(("A", " "), 0)
    origin = best(tmp_path / "run", print).standing.origin
    assert origin == Origin(name="m.pth", sha256=sha256_of(tmp_path / "m.pth"))
    assert (imported.origin, imported.config.features) == ("deepspeech.pytorch 2.0", "log-spectrogram-2.0")
    weights = weights_of(best(tmp_path / "run", print).tensors)
    assert all(weights[name].equal(tensor) for name, tensor in ours.items())
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["checkpoints"]


def test_a_folder_that_is_a_run_is_left_alone(frozen: Any, make: Any, tmp_path: Path) -> None:
    (tmp_path / "g.pb").write_bytes(graph_bytes(frozen))
    import_model(tmp_path / "g.pb", tmp_path / "run")
    before = make.tree(tmp_path / "run")
    with pytest.raises(UsageError, match="is a run already"):
        import_model(tmp_path / "g.pb", tmp_path / "run")
    assert make.tree(tmp_path / "run") == before


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("gone.pb", None, "there is no file"),
        ("gone.pth", None, "there is no file"),
        ("m.pb", b"", "without a node"),
        ("m.pbmm", b"\x00" * 99, "no frozen graph"),
        ("m.tflite", b"\x1c\x00\x00\x00TFL3" + b"\x00" * 99, "TensorFlow Lite"),
        ("m.bin", b"whatever it is", "no file that torch.save writes"),
        ("m.tar.gz", b"\x1f\x8bno gzip", "m.tar.gz"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(tmp_path: Path, name: str, data: bytes | None, said: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=said) as caught:
        import_model(tmp_path / name, tmp_path / "new" / "run")
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name] * (data is not None), "no folder is left either"


def test_an_archive_that_is_cut_off_or_has_no_graph_is_refused(frozen: Any, make: Any, tmp_path: Path) -> None:
    whole = make.tar(
        tmp_path / "whole.tar.gz", {"models/output_graph.pb": graph_bytes(frozen), "models/lm": b"x" * 9999}
    )
    (tmp_path / "cut.tar.gz").write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(SourceError, match="fetch it again"):
        import_model(tmp_path / "cut.tar.gz", tmp_path / "run")
    with pytest.raises(SourceError, match=r"no output_graph\.pb"):
        import_model(make.tar(tmp_path / "other.tar", {"readme": b"x"}), tmp_path / "run")


def test_weights_that_are_no_numbers_are_refused(frozen: Any, tmp_path: Path) -> None:
    weights = frozen.weights("0.6")
    weights.dense[3][0][1, 1] = np.nan
    (tmp_path / "g.pb").write_bytes(frozen.graph("0.6", weights).SerializeToString())
    with pytest.raises(SourceError, match=r"h3\.weight would hold what is no number"):
        import_model(tmp_path / "g.pb", tmp_path / "run")


def test_without_tensorboard_a_graph_names_what_to_install(
    frozen: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "g.pb").write_bytes(graph_bytes(frozen))
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.compat.proto.graph_pb2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dsprep\[tensorboard\]'"):
        import_model(tmp_path / "g.pb", tmp_path / "run")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server on this machine over `tmp_path`/web."""
    (tmp_path / "web").mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path / "web")) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_a_url_is_fetched_once_and_a_path_is_taken_as_it_is(frozen: Any, tmp_path: Path, server: str) -> None:
    (tmp_path / "web" / "g.pb").write_bytes(graph_bytes(frozen))
    found, release = located(f"{server}/g.pb", tmp_path / "cache", silent, QUICK)
    assert (found, release) == (tmp_path / "cache" / "g.pb", None)
    assert import_model(found, tmp_path / "run").config.features == "mfcc-deepspeech-0.5"
    (tmp_path / "web" / "g.pb").unlink()
    assert located(f"{server}/g.pb", tmp_path / "cache", silent, QUICK)[0] == found
    assert located(str(found), tmp_path / "cache", silent, QUICK) == (found, None)
    with pytest.raises(FetchError):
        located(f"{server}/other.pb", tmp_path / "cache", silent, QUICK)


def test_a_released_name_comes_before_a_file_of_that_name_unless_it_is_told_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(RELEASED, "deepspeech-0.9.3", Released("http://127.0.0.1:9/g.pbmm", "0.9.3", "English"))
    Path("deepspeech-0.9.3").write_bytes(b"")
    assert located("./deepspeech-0.9.3", tmp_path, silent, QUICK) == (Path("deepspeech-0.9.3"), None)
    with pytest.raises(FetchError):
        located("deepspeech-0.9.3", tmp_path, silent, QUICK)


def test_a_name_that_is_none_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean deepspeech-0\.6\.1\?"):
        located("deepspeech-0.6", tmp_path, silent, QUICK)


def test_the_table_of_released_models_is_one_of_urls_and_releases() -> None:
    assert len(RELEASED) == len({one.url for one in RELEASED.values()})
    for name, one in RELEASED.items():
        assert one.url.startswith("https://github.com/")
        assert one.url.endswith((".tar.gz", ".pbmm", ".pth", ".ckpt"))
        assert one.release in name
        assert one.release in one.url.replace("V3.0", "3.0")


def test_a_release_of_the_table_is_one_that_its_graph_can_be(frozen: Any, tmp_path: Path) -> None:
    """Each version with the graph that it wrote: what the table says of the release is not refused."""
    for name, one in RELEASED.items():
        if not name.startswith("deepspeech-"):
            continue
        version = one.release[:3]
        graph = max(known for known in frozen.releases if known <= version)
        (tmp_path / "g.pb").write_bytes(graph_bytes(frozen, graph))
        imported = import_model(tmp_path / "g.pb", tmp_path / name, one.release)
        assert imported.config.features in PROFILES
        assert isinstance(imported.config.model, DeepSpeech1Config)


def test_any_error_of_an_import_is_one_of_ours(frozen: Any, tmp_path: Path) -> None:
    whole = graph_bytes(frozen, "0.7", n=1)
    random = np.random.default_rng(2)
    for number in range(30):
        data = bytearray(whole)
        data[random.integers(len(data))] ^= 1 << random.integers(8)
        (tmp_path / "g.pb").write_bytes(data)
        try:
            import_model(tmp_path / "g.pb", tmp_path / str(number))
        except DsprepError as error:
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", ["pipe.pb", "pipe.pth", "folder.pb"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    if name.startswith("pipe"):
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).mkdir()
    with pytest.raises(SourceError, match="there is no file"):
        import_model(tmp_path / name, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_graph_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.pb").open("wb") as file:
        file.truncate(10**11)
    with pytest.raises(SourceError, match="too many for a graph"):
        import_model(tmp_path / "huge.pb", tmp_path / "run")


def test_a_folder_that_holds_something_else_is_left_alone(frozen: Any, tmp_path: Path) -> None:
    (tmp_path / "g.pb").write_bytes(graph_bytes(frozen))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "import.json").write_text("{}")
    with pytest.raises(UsageError, match="holds something else"):
        import_model(tmp_path / "g.pb", tmp_path / "run")


def test_few_bytes_do_not_fill_the_memory(frozen: Any, tmp_path: Path) -> None:
    graph = frozen.graph("0.7", frozen.weights("0.7"))
    node = graph.node.add(name="Minimum_9/y", op="Const")
    node.attr["value"].tensor.dtype = 1
    node.attr["value"].tensor.tensor_shape.dim.add(size=1 << 28)
    node.attr["value"].tensor.float_val.append(20.0)
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    with pytest.raises(SourceError, match="more than one number"):
        import_model(tmp_path / "g.pb", tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "bad", "said"),
    [
        ("conv1.weight", torch.ones(2, 1, 41, 11).long(), "of torch.int64, and is of torch.float32"),
        ("norm.running_mean", torch.ones(4).long(), "of torch.int64, and is of torch.float32"),
        ("norm.num_batches_tracked", torch.tensor(5.5), "of torch.float32, and is of torch.int64"),
        ("norm.running_var", -torch.ones(4), "hold a variance below 0"),
    ],
)
def test_numbers_that_weights_cannot_be_are_refused(tmp_path: Path, name: str, bad: torch.Tensor, said: str) -> None:
    torch.save(package(network() | {name: bad}), tmp_path / "m.pth")
    with pytest.raises(SourceError, match=f"our {name} would .*{said}"):
        import_model(tmp_path / "m.pth", tmp_path / "run")
    assert not (tmp_path / "run").exists()

"""Pickles that would run code, and files of torch that lie: nothing is run, nothing grows, all end in one line."""

import io
import pickle
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from dsprep.manifests import SourceError
from dsprep.trainer.ancestors.torch_files import read_torch_file
from dsprep.trainer.ancestors.unpickling.facts import Facts
from dsprep.trainer.ancestors.unpickling.layouts import MAGIC, PROTOCOL
from dsprep.trainer.ancestors.unpickling.reader import Reader, Refused


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def stacked(module: str, attribute: str) -> bytes:
    return text(module) + text(attribute) + b"\x93"


def call(function: bytes, *arguments: bytes) -> bytes:
    """What `function` of the arguments leaves on the stack."""
    return function + b"(" + b"".join(arguments) + b"tR"


def payloads(mark: str) -> dict[str, bytes]:
    """Pickles by what they use; each creates the file `mark`, or one whose name begins so."""
    code = text(f"open({mark!r}, 'w').close()")
    shell = text(f"touch '{mark}'")
    path, word = text(mark), text("w")
    touch = b"]" + b"(" + text("touch") + path + b"e"
    run = call(name("builtins", "compile"), code, text("x"), text("exec"))
    empty = b"}"
    find = call(name("importlib", "import_module"), text("os"))
    system = call(name("builtins", "getattr"), find, text("system"))
    opened = {
        "os.open": call(name("os", "open"), path, b"K\x41"),
        "posix.open": call(name("posix", "open"), path, b"K\x41"),
        "os.mkdir": call(name("os", "mkdir"), path),
        "posix.mkdir": call(name("posix", "mkdir"), path),
        "os.mkfifo": call(name("os", "mkfifo"), path),
        "os.mknod": call(name("os", "mknod"), path),
        "os.symlink": call(name("os", "symlink"), text("/"), path),
        "os.makedirs": call(name("os", "makedirs"), path),
        "io.open": call(name("io", "open"), path, word),
        "_io.open": call(name("_io", "open"), path, word),
        "_io.FileIO": call(name("_io", "FileIO"), path, word),
        "builtins.open": call(name("builtins", "open"), path, word),
        "codecs.open": call(name("codecs", "open"), path, word),
        "gzip.open": call(name("gzip", "open"), path, text("wb")),
        "bz2.open": call(name("bz2", "open"), path, text("wb")),
        "lzma.open": call(name("lzma", "open"), path, text("wb")),
        "tarfile.open": call(name("tarfile", "open"), path, word),
        "zipfile.ZipFile": call(name("zipfile", "ZipFile"), path, word),
        "sqlite3.connect": call(name("sqlite3", "connect"), path),
        "shelve.open": call(name("shelve", "open"), path),
        "shutil.copyfile": call(name("shutil", "copyfile"), text("/etc/hostname"), path),
        "shutil.copytree": call(name("shutil", "copytree"), text("seed"), path),
        "logging.FileHandler": call(name("logging", "FileHandler"), path),
        "pathlib.Path.touch": call(name("pathlib", "Path.touch"), call(name("pathlib", "PosixPath"), path)),
        "dbm.dumb.open": call(name("dbm.dumb", "open"), path),
        "tempfile.mkdtemp": call(name("tempfile", "mkdtemp"), text(""), text("mark"), text(".")),
        "socket.bind": call(name("socket", "socket.bind"), call(name("socket", "socket"), b"K\x01", b"K\x01"), path),
        "asyncio.subprocess": call(name("asyncio", "run"), call(name("asyncio", "create_subprocess_shell"), shell)),
    }
    ran = {
        "os.system": call(name("os", "system"), shell),
        "posix.system": call(name("posix", "system"), shell),
        "nt.system": call(name("nt", "system"), shell),
        "os.popen": call(name("os", "popen"), shell),
        "os.execlp": call(name("os", "execlp"), text("touch"), text("touch"), path),
        "os.spawnlp": call(name("os", "spawnlp"), b"K\x00", text("touch"), text("touch"), path),
        "subprocess.run": call(name("subprocess", "run"), touch),
        "subprocess.Popen": call(name("subprocess", "Popen"), touch),
        "subprocess.check_output": call(name("subprocess", "check_output"), touch),
        "subprocess.getoutput": call(name("subprocess", "getoutput"), shell),
        "pty.spawn": call(name("pty", "spawn"), touch),
        "builtins.eval": call(name("builtins", "eval"), code),
        "builtins.exec": call(name("builtins", "exec"), code, empty),
        "__builtin__.eval": call(name("__builtin__", "eval"), code),
        "builtins.exec of compile": call(name("builtins", "exec"), run, empty),
        "types.FunctionType": call(call(name("types", "FunctionType"), run, empty)),
        "builtins.getattr": call(system, shell),
        "builtins.__import__": call(
            call(name("builtins", "getattr"), call(name("builtins", "__import__"), text("os")), text("system")), shell
        ),
        "operator.attrgetter": call(call(call(name("operator", "attrgetter"), text("system")), find), shell),
        "operator.methodcaller": call(call(name("operator", "methodcaller"), text("system"), shell), find),
        "functools.partial": call(call(name("functools", "partial"), name("os", "system"), shell)),
        "functools.reduce": call(
            call(name("functools", "reduce"), name("builtins", "getattr"), b"]" + b"(" + find + text("system") + b"e"),
            shell,
        ),
        "builtins.map": call(
            name("builtins", "list"), call(name("builtins", "map"), name("os", "system"), b"]" + b"(" + shell + b"e")
        ),
        "runpy.run_path": call(name("runpy", "run_path"), text("seed/code.py")),
        "timeit.timeit": call(name("timeit", "timeit"), code, text("pass"), name("time", "time"), b"K\x01"),
        "profile.run": call(name("profile", "run"), code),
        "pdb.run": call(name("bdb", "Bdb.run"), call(name("bdb", "Bdb")), code),
        "code.InteractiveInterpreter": call(
            name("code", "InteractiveInterpreter.runsource"), call(name("code", "InteractiveInterpreter")), code
        ),
        "ctypes": call(
            call(name("builtins", "getattr"), call(name("ctypes", "CDLL"), b"N"), text("system")),
            b"C" + bytes([len(mark) + 8]) + f"touch '{mark}'".encode(),
        ),
        "webbrowser": call(
            name("webbrowser", "GenericBrowser.open"),
            call(name("webbrowser", "GenericBrowser"), b"]" + b"(" + text("touch") + text("%s") + b"e"),
            path,
        ),
        "pickle.loads": call(
            name("pickle", "loads"),
            call(name("_codecs", "encode"), text(f"cos\nsystem\n(S\"touch '{mark}'\"\ntR."), text("latin1")),
        ),
        "torch.hub": call(name("torch.hub", "load"), text("seed"), text("made")),
        "torch.jit": call(name("torch.jit", "load"), path),
        "torch._C": call(name("torch._C", "import_ir_module"), path),
        "torch.load": call(name("torch.serialization", "load"), path),
        "numpy.f2py": call(name("numpy.f2py.crackfortran", "myeval"), code, empty, empty),
        "numpy.testing": call(name("numpy.testing._private.utils", "runstring"), code, empty),
    }
    forms = {
        "INST": b"(" + shell + b"ios\nsystem\n",
        "OBJ": b"(" + name("subprocess", "Popen") + touch + b"o",
        "NEWOBJ": name("_io", "FileIO") + b"(" + path + word + b"t\x81",
        "NEWOBJ_EX": name("_io", "FileIO") + b"(" + path + word + b"t}\x92",
        "STACK_GLOBAL": call(stacked("os", "system"), shell),
        "STACK_GLOBAL of two parts": call(stacked("pathlib", "os.system"), shell),
        "PUT and GET": name("os", "system") + b"q\x00" + b"0" + b"h\x00" + b"(" + shell + b"tR",
        "a name under a good one": call(stacked("collections", "OrderedDict.__init__.__globals__"), shell),
        "BUILD by setattr": call(name("collections", "OrderedDict"))
        + b"(N}"
        + text("update")
        + name("os", "system")
        + b"st"
        + b"b",
        "BUILD of a stand-in, then a call": name("omegaconf", "X")
        + b"}"
        + text("__new__")
        + name("os", "system")
        + b"sb",
        "the memo in place of a class": name("collections", "OrderedDict")
        + b"q\x00"
        + b"0"
        + name("os", "system")
        + b"q\x00"
        + b"0h\x00("
        + shell
        + b"tR",
        "EXT1": call(name("copyreg", "add_extension"), text("os"), text("system"), b"K\x07")
        + b"0"
        + b"\x82\x07"
        + b"("
        + shell
        + b"tR",
        "copyreg": call(name("copyreg", "__newobj__"), name("_io", "FileIO"), path, word),
        "copyreg._reconstructor": call(
            name("copyreg", "_reconstructor"), name("subprocess", "Popen"), name("builtins", "object"), b"N"
        )
        + b"0"
        + call(name("os", "mkdir"), path),
        "in a state_dict": b"}"
        + text("state_dict")
        + b"}"
        + text("w")
        + call(name("os", "system"), shell)
        + b"s"
        + b"s",
        "as a persistent id": b"(" + text("storage") + call(name("os", "system"), shell) + b"tQ",
        "as a key": b"}" + call(name("os", "system"), shell) + b"K\x01s",
        "after a good object": b"}0" + call(name("os", "system"), shell),
    }
    made = {**opened, **ran, **forms}
    return {what: b"\x80\x02" + data + b"." for what, data in made.items()}


MARK = "mark"
PAYLOADS = payloads(MARK)
PLAIN = """
import os, pickle, sys
for home in sys.argv[1:]:
    child = os.fork()
    if not child:
        os.chdir(home)
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        try:
            pickle.Unpickler(open("payload", "rb")).load()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
"""
"""A program that loads pickles as Python does, each in a process of its own."""


def seeded(home: Path) -> Path:
    """A folder with what the payloads take from theirs."""
    (home / "seed").mkdir(parents=True)
    (home / "seed" / "code.py").write_text(f"open({MARK!r}, 'w').close()")
    return home


def marks(home: Path) -> list[str]:
    return [path.name for path in home.rglob("mark*")]


def torch_zip(data: bytes, **more: bytes) -> bytes:
    """A file of torch's newer layout with this pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        for member, content in more.items():
            archive.writestr(f"archive/data/{member}", content)
    return file.getvalue()


def torch_old(data: bytes, *after: bytes) -> bytes:
    """A file of torch's older layout with this pickle."""
    system = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"int": 4}}
    head = b"".join(pickle.dumps(one, 2) for one in (MAGIC, PROTOCOL, system))
    return head + data + (b"".join(after) or pickle.dumps([], 2))


def refusal(home: Path, data: bytes) -> str:
    """What is said of a file, which must be refused in one line."""
    home.mkdir(exist_ok=True)
    path = home / "model.pth"
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        read_torch_file(path, home / "room")
    said = str(caught.value).removeprefix(f"{path} is not read: ")
    assert said.isprintable()
    assert not (home / "room").exists()
    return said


def test_the_payloads_bite_where_nothing_holds_them(tmp_path: Path) -> None:
    homes = [seeded(tmp_path / str(number)) for number in range(len(PAYLOADS))]
    for home, data in zip(homes, PAYLOADS.values(), strict=True):
        (home / "payload").write_bytes(data)
    subprocess.run([sys.executable, "-I", "-S", "-c", PLAIN, *map(str, homes)], check=True, timeout=120)
    biting = [what for what, home in zip(PAYLOADS, homes, strict=True) if marks(home)]
    assert len(PAYLOADS) >= 60
    assert len(biting) >= 60, sorted({*PAYLOADS} - {*biting})


@pytest.mark.parametrize("what", PAYLOADS)
def test_no_payload_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    home = seeded(tmp_path / "home")
    monkeypatch.chdir(home)
    said = refusal(home, torch_zip(PAYLOADS[what]))
    assert said.startswith(("it names", "it is damaged", "it holds")), said
    assert not marks(home)


@pytest.mark.parametrize(
    ("what", "place"), [("os.system", "magic"), ("INST", "object"), ("EXT1", "object"), ("builtins.eval", "keys")]
)
def test_no_payload_runs_in_the_old_layout(tmp_path: Path, what: str, place: str) -> None:
    data = PAYLOADS[what]
    after = (data,) if place == "keys" else ()
    good = pickle.dumps({"state_dict": {}}, 2)
    said = refusal(tmp_path / "home", data if place == "magic" else torch_old(good if after else data, *after))
    assert said.startswith("it names")
    assert not marks(tmp_path)


@pytest.mark.parametrize(
    "deed",
    ["os.system('touch mark')", "open('mark', 'w')", "__import__('sqlite3')", "os.remove(sys.argv[2])", "os.fork()"],
)
def test_even_a_reader_that_was_won_over_can_do_nothing(tmp_path: Path, deed: str) -> None:
    home = Path(str(sys.modules[read_torch_file.__module__].__file__)).parent
    code = (
        "import os, sys; sys.path.append(sys.argv[1]); from unpickling import program\n"
        f"program.read = lambda file, size: {deed}\nprogram.main(*sys.argv[2:])"
    )
    (tmp_path / "model.pth").write_bytes(torch_zip(b"N."))
    command = [sys.executable, "-I", "-S", "-c", code, home, "model.pth", "weights", "facts"]
    run = subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "which was stopped" in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["facts", "model.pth", "weights"]


REBUILD = name("torch._utils", "_rebuild_tensor_v2")


def storage(size: int, key: str = "0", kind: str = "FloatStorage") -> bytes:
    parts = text("storage") + name("torch", kind) + text(key) + text("cpu") + integer(size)
    return b"(" + parts + b"tQ"


def integer(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def numbers(*values: int) -> bytes:
    return b"(" + b"".join(map(integer, values)) + b"t"


def tensor(size: bytes, stride: bytes, offset: int = 0, of: int = 4, key: str = "0") -> bytes:
    return call(REBUILD, storage(of, key), integer(offset), size, stride, b"\x89", b"}")


def model(*tensors: bytes) -> bytes:
    """A pickle of a package with these tensors."""
    items = b"".join(text(f"w{index}") + one + b"s" for index, one in enumerate(tensors))
    return b"\x80\x02}" + text("state_dict") + b"}" + items + b"s."


FOUR = {"0": bytes(range(16))}


def test_a_pickle_of_these_parts_is_read_when_it_does_not_lie(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(torch_zip(model(tensor(numbers(3), numbers(1), 1), tensor(numbers(2, 2), numbers(2, 1))), **FOUR))
    found = read_torch_file(path, tmp_path / "room").weights
    assert found["w0"].numpy().tobytes() == bytes(range(4, 16))
    assert found["w1"].shape == (2, 2)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (torch_zip(model(tensor(numbers(5), numbers(1))), **FOUR), "over the end"),
        (torch_zip(model(tensor(numbers(2), numbers(1), 3)), **FOUR), "over the end"),
        (torch_zip(model(tensor(numbers(2), numbers(3))), **FOUR), "one piece"),
        (torch_zip(model(tensor(numbers(2, 2), numbers(1, 2))), **FOUR), "one piece"),
        (torch_zip(model(tensor(numbers(1 << 40), numbers(0))), **FOUR), "one piece"),
        (torch_zip(model(tensor(numbers(1 << 60), numbers(1), of=1 << 60)), **FOUR), "more bytes than the file"),
        (torch_zip(model(*[tensor(numbers(999), numbers(1), of=999)] * 99), **FOUR), "more bytes than the file"),
        (torch_zip(model(tensor(numbers(-1), numbers(1))), **FOUR), "no shape"),
        (torch_zip(model(tensor(numbers(1), numbers(1), -1)), **FOUR), "no shape"),
        (torch_zip(model(tensor(numbers(1, 1), numbers(1))), **FOUR), "no shape"),
        (torch_zip(model(tensor(text("4"), numbers(1))), **FOUR), "no shape"),
        (torch_zip(model(tensor(numbers(3), numbers(1), of=3)), **FOUR), "should have at most 12"),
        (torch_zip(model(tensor(numbers(5), numbers(1), of=5)), **FOUR), "fewer numbers"),
        (torch_zip(model(tensor(numbers(1), numbers(1), of=-1)), **FOUR), "of a kind"),
        (torch_zip(model(tensor(numbers(1), numbers(1), key="../../0")), **FOUR), "no item"),
        (torch_zip(model(tensor(numbers(1), numbers(1)), tensor(numbers(1), numbers(1), of=5)), **FOUR), "two things"),
        (torch_zip(model(b"K\x01"), **FOUR), "no tensor"),
        (torch_zip(model(), **FOUR), "no state_dict"),
        (torch_zip(b"\x80\x02K\x01."), "some other object"),
        (torch_zip(b"\x80\x02(" + text("module") + b"NNNNtQ."), "whole module"),
        (torch_old(model(tensor(numbers(5), numbers(1))), pickle.dumps(["0"], 2), b"\x04" + bytes(23)), "over the end"),
        (torch_old(model(tensor(numbers(4), numbers(1))), pickle.dumps(["0"], 2), b"\x05" + bytes(23)), "count"),
        (torch_old(model(tensor(numbers(4), numbers(1))), pickle.dumps(["0"], 2), b"\x04" + bytes(22)), "cut off"),
        (torch_old(model(tensor(numbers(4), numbers(1))), pickle.dumps(["1"], 2), b"\x04" + bytes(23)), "damaged"),
        (torch_old(model(tensor(numbers(4), numbers(1))), pickle.dumps([], 2)), "damaged"),
        (b"", "damaged"),
        (b"hello world", "damaged"),
        (pickle.dumps(5), "no file that torch.save"),
        (pickle.dumps(MAGIC, 2) + pickle.dumps(1000, 2), "no file that torch.save"),
        (torch_zip(b"").replace(b"data.pkl", b"data.pki"), "none that torch.save"),
        (torch_zip(b"N.", **{"12345678": b"N."}).replace(b"data/12345678", b"constants.pkl"), "none that torch.save"),
    ],
    ids=range(31),
)
def test_a_file_that_lies_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in refusal(tmp_path, data)


def doubled(times: int) -> bytes:
    """A list of a list of a list ... each twice, as a package's labels."""
    memo = [bytes([one]) for one in range(times)]
    lists = b"]" + b"".join(b"q" + one + b"0](h" + one + b"h" + one + b"e" for one in memo)
    return model(tensor(numbers(4), numbers(1)))[:-1] + text("labels") + lists + b"s."


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x80\x02Nr\x00\x00\x00\x04.", "more memory"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f.", "truncated"),
        (b"\x80\x04\x8d" + (1 << 40).to_bytes(8, "little") + b".", "truncated"),
        (b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b".", "more memory"),
        (b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b".", "more memory"),
        (b"\x80\x04\x95" + (1 << 62).to_bytes(8, "little") + b"N.", "truncated"),
        (b"\x80\x02" + b"(" * 3_000_000 + b".", "unexpected MARK"),
        (b"\x80\x02}K\x01" + b"\x85" * 200_000 + b"K\x01s.", ""),  # some versions of Python overflow their stack
        (b"\x80\x02I" + b"9" * 100_000 + b"\n.", "damaged"),
        (doubled(30), "more facts"),
        (model(tensor(numbers(4), numbers(1)))[:-1] + text("labels") + b"]q\x00h\x00as.", "recursion"),
    ],
    ids=range(11),
)
def test_a_small_file_does_not_grow_large(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in refusal(tmp_path, torch_zip(data, **FOUR))


def test_a_member_that_is_compressed_is_not_inflated(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", model(tensor(numbers(4), numbers(1))))
        archive.writestr("archive/data/0", bytes(16))
    assert "compressed" in refusal(tmp_path, file.getvalue())


def test_a_zip_with_two_entries_of_one_name_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO(torch_zip(model(tensor(numbers(4), numbers(1))), **FOUR))
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(archive.namelist()[-1], bytes(16))
    assert "two entries of one name" in refusal(tmp_path, file.getvalue())


def test_an_object_of_another_class_is_named(tmp_path: Path) -> None:
    path = tmp_path / "whole.pth"
    torch.save(torch.nn.Linear(2, 2), path)
    assert "torch.nn.modules.linear.Linear" in refusal(tmp_path / "home", path.read_bytes())


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old layout"])
def test_a_file_that_was_cut_off_is_never_taken_for_whole(tmp_path: Path, old: bool) -> None:
    path = tmp_path / "whole.pth"
    saved = {"state_dict": OrderedDict(w=torch.arange(50.0)), "labels": ["_", "a"], "version": "0.0.1"}
    torch.save(saved, path, _use_new_zipfile_serialization=not old)
    whole = path.read_bytes()
    assert read_torch_file(path, tmp_path / "room").weights["w"].equal(saved["state_dict"]["w"])  # type: ignore[index]
    for size in range(0, len(whole) - 1, len(whole) // 6):
        refusal(tmp_path, whole[:size])


def test_flipped_bits_in_numbers_of_a_zip_are_found(tmp_path: Path) -> None:
    path = tmp_path / "whole.pth"
    torch.save({"state_dict": {"w": torch.arange(50.0)}}, path)
    whole = bytearray(path.read_bytes())
    at = whole.index(torch.arange(50.0).numpy().tobytes())
    whole[at + 77] ^= 4
    assert "CRC" in refusal(tmp_path, bytes(whole))


@pytest.mark.parametrize(
    "data", [b"c__main__\nx\n.", b"cos.path\njoin\n.", b"ctorch\nTensor\n.", b"cos\nsystem\x1b[2J\n."]
)
def test_a_name_that_is_not_listed_is_refused_and_shown_harmlessly(data: bytes) -> None:
    with pytest.raises(Refused, match="it names") as caught:
        Reader(io.BytesIO(data)).load()
    assert str(caught.value).isprintable()


def test_facts_are_what_settings_hold() -> None:
    reader = Reader(io.BytesIO(b"comegaconf.nodes\nAnyNode\n)\x81}" + text("_val") + b"K\x05sb."))
    plain: Any = Facts().plain([reader.load(), float("inf"), (1, None), {"a": True, 2: "b", None: 3}, b"x", object()])
    assert plain == [5, float("inf"), [1, None], {"a": True, "2": "b"}, None, None]

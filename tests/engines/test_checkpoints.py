"""What all engines refuse of strangers' checkpoints; see also `fomm/` and `rvc/`."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from likeness.engines.checkpoints import fill, name_some, read_checkpoint, show, tensors_in  # noqa: E402
from likeness.errors import LikenessError, MediaNotFound, ModelFormat  # noqa: E402

LARGEST = 1 << 20


def read(path: Path) -> object:
    return read_checkpoint(path, largest_bytes=LARGEST)


def saved(*, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save({"a": torch.arange(6.0), "b": [1, "x"]}, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


class Dangerous:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (print, ("this must never be printed",))


def a_zip_of_models(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("anna/anna.pth", b"1")
        archive.writestr("anna/added.index", b"2")


def an_empty_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = b"nothing else"


def a_tar_gz(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("anna.pth")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"1234"))


def a_bomb(path: Path) -> None:
    """A few kilobytes that unpack to two megabytes."""
    with zipfile.ZipFile(io.BytesIO(saved())) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
        archive.writestr("archive/data/1", bytes(2 * LARGEST))
    assert path.stat().st_size < LARGEST / 10


def a_program_in_torchscript(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py"):
            archive.writestr(f"net/{name}", b"\x80\x02}.")


REFUSED: list[tuple[str, Callable[[Path], object]]] = [
    ("is empty", lambda path: path.write_bytes(b"")),
    ("web page", lambda path: path.write_bytes(b"<html><head><title>Sign in</title>")),
    ("Git LFS", lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0")),
    (r"zip archive \(it holds anna/added.index, anna/anna.pth\)", a_zip_of_models),
    ("zip archive|not a checkpoint", an_empty_zip),
    ("tar archive", a_tar_gz),
    ("larger, unpacked", a_bomb),
    ("larger than any", lambda path: path.write_bytes(saved() + bytes(LARGEST))),
    ("TorchScript", a_program_in_torchscript),
    ("run code", lambda path: torch.save({"a": Dangerous()}, path)),
    ("not a checkpoint", lambda path: path.write_bytes(b"RIFF....WAVEfmt ")),
    ("not a checkpoint", lambda path: path.write_bytes(b"IxFI" + bytes(100))),  # an index of faiss
    ("cut off", lambda path: path.write_bytes(saved()[:-30])),
    ("damaged", lambda path: path.write_bytes(saved(legacy=True)[:-30])),
]


@pytest.mark.parametrize(
    ("says", "make"), REFUSED, ids=[f"{n}-{says}" for n, (says, _) in enumerate(REFUSED)]
)
def test_what_is_no_checkpoint_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], says: str, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "anna.pth"
    make(path)
    with pytest.raises(ModelFormat, match=says) as found:
        read(path)
    assert found.value.hint
    assert "never" not in capsys.readouterr().out


def test_a_folder_or_nothing_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.pth"):
        with pytest.raises(MediaNotFound):
            read(path)


@pytest.mark.parametrize("legacy", [False, True])
def test_what_torch_saves_is_read(tmp_path: Path, legacy: bool) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(saved(legacy=legacy))
    content = read(path)
    assert isinstance(content, dict)
    assert torch.equal(content["a"], torch.arange(6.0))


@settings(max_examples=150)
@given(
    legacy=st.booleans(),
    changes=st.lists(
        st.tuples(
            st.floats(0, 1), st.sampled_from(["set", "drop", "put"]), st.binary(min_size=1, max_size=8)
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_damaged_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, legacy: bool, changes: list[tuple[float, str, bytes]]
) -> None:
    data = bytearray(saved(legacy=legacy))
    for where, how, new in changes:
        at = int(where * (len(data) - 1))
        data[at : at + (0 if how == "put" else len(new))] = b"" if how == "drop" else new
    path = tmp_path_factory.getbasetemp() / "damaged.pth"
    path.write_bytes(data)
    try:
        read(path)
    except LikenessError as error:
        assert error.hint
        assert error.what.isprintable()


@pytest.mark.parametrize(
    "value",
    [
        torch.ones(1).expand(10**9),  # four bytes that claim to be four billion
        torch.ones(3, device="meta"),
        torch.ones(3, 3).to_sparse(),
    ],
    ids=["repeated", "meta", "sparse"],
)
def test_tensors_must_hold_the_numbers_they_claim(value: torch.Tensor) -> None:
    with pytest.raises(ModelFormat, match="does not hold the numbers"):
        tensors_in({"a.weight": value}, "“weight” of a.pth")


def test_something_else_than_tensors_is_refused() -> None:
    for values in ({"a": 1.0}, {1: torch.ones(1)}):
        with pytest.raises(ModelFormat, match="else than tensors"):
            tensors_in(values, "a part")


def test_a_net_takes_what_fits_and_nothing_else() -> None:
    net = torch.nn.Linear(2, 3, device="meta")
    right = {"weight": torch.ones(3, 2).half(), "bias": torch.ones(3, requires_grad=True)}
    fill(net, right, "a.pth", "hint")
    assert net.weight.dtype == torch.float32
    assert net(torch.ones(2)).tolist() == [3, 3, 3]
    for wrong, says in (
        ({"weight": right["weight"]}, "lacks bias"),
        ({**right, "more": torch.ones(1)}, "has more, which"),
        ({**right, "bias": torch.ones(4)}, "bias in a.pth is 4, and the configuration makes it 3"),
    ):
        with pytest.raises(ModelFormat, match=says):
            fill(net, wrong, "a.pth", "hint")


def test_names_out_of_files_cannot_control_a_terminal() -> None:
    assert name_some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert show("\x1b[2Jlovely").isprintable()
    assert len(show("x" * 10**6)) < 100

"""`verify` of several files, its JSON and exit codes; `trust` and `identity` as commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness.disclosure.credentials.store import hash_file
from likeness.disclosure.seal import seal_image
from likeness.types import Making

from .conftest import Outcome

Cli = Callable[..., Outcome]
PICTURE = np.tile(np.arange(96, dtype=np.uint8)[None, :, None], (80, 1, 3))


@pytest.fixture
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder: sealed.png, changed.png, bare.png, a text, and a hidden file; and a home of its own."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    folder = tmp_path / "media"
    folder.mkdir()
    seal_image(PICTURE, folder / "sealed.png", Making("animate", "mesh", "1", ()))
    data = bytearray((folder / "sealed.png").read_bytes())
    data[-30] ^= 1
    (folder / "changed.png").write_bytes(data)
    Image.fromarray(PICTURE).save(folder / "bare.png")
    (folder / "notes.txt").write_text("hello")
    (folder / ".hidden.png").write_bytes(b"x")
    (folder / "sealed.png.c2pa").write_bytes(b"x")
    return folder


def test_the_worst_of_several_counts(cli: Cli, media: Path) -> None:
    sealed, changed, bare = (media / name for name in ("sealed.png", "changed.png", "bare.png"))
    (media / "broken.mp4").write_bytes(b"")
    broken = media / "broken.mp4"
    assert cli("verify", sealed).code == 0
    assert cli("verify", sealed, sealed).code == 0
    assert cli("verify", sealed, bare).code == 11
    outcome = cli("verify", sealed, broken, bare)
    assert outcome.is_refusal(3)
    assert "1 of 3 files" in outcome.err
    assert "broken.mp4: could not be read" in outcome.out
    assert "bare.png: no Content Credentials found" in outcome.out
    assert cli("verify", bare, broken, changed, sealed).code == 10
    assert cli("verify").code == 2


def test_every_media_file_of_a_folder(cli: Cli, media: Path) -> None:
    outcome = cli("verify", media, "--json", "-")
    found = json.loads(outcome.out)
    assert outcome.code == 10
    assert [Path(one["file"]).name for one in found] == ["bare.png", "changed.png", "sealed.png"]
    assert [one["credentials"]["state"] for one in found] == ["none", "tampered", "untrusted"]
    for one in found:
        assert one["sha256"] == hash_file(Path(one["file"]))
        assert one["answer"]
        assert one["watermark"].keys() >= {"found", "payload", "confidence"}
    (media / "empty").mkdir()
    assert cli("verify", media / "empty").is_refusal(3)


def test_a_file_that_cannot_be_read_is_in_the_list_too(cli: Cli, media: Path) -> None:
    (media / "broken.mp4").write_bytes(b"")
    found = json.loads(cli("verify", media / "broken.mp4", media / "gone.mp4", "--json", "-").out)
    assert [one["sha256"] is None for one in found] == [False, True]
    assert all(one["credentials"]["state"] == "none" and one["error"] for one in found)


def test_json_is_written_to_a_file(cli: Cli, media: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    outcome = cli("verify", media / "bare.png", "--json", report)
    assert (outcome.code, json.loads(report.read_text())["credentials"]["state"]) == (11, "none")
    assert "bare.png" in outcome.out
    assert cli("verify", media / "sealed.png", "--json", report).code == 0
    assert json.loads(report.read_text())["credentials"]["state"] == "untrusted", "an older report goes"
    before = (media / "bare.png").read_bytes()
    assert cli("verify", media / "sealed.png", "--json", media / "bare.png").is_refusal(9)
    assert (media / "bare.png").read_bytes() == before
    assert cli("verify", media / "sealed.png", "--json", tmp_path / "no" / "r.json").is_refusal(9)
    assert cli("verify", media / "gone.png", "--json", tmp_path / "new.json").is_refusal(3)
    assert not (tmp_path / "new.json").exists()


def test_a_full_disk_leaves_no_half_report(
    cli: Cli, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *_: object, **__: object) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(Path, "write_text", full)
    assert cli("verify", media / "sealed.png", "--json", out / "r.json").is_refusal(9)
    assert list(out.iterdir()) == []


def test_a_newsroom_is_trusted(
    cli: Cli, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path / "newsroom.pem"
    certificate.write_text(cli("identity", "show", "--certificate").out)
    assert "PRIVATE" not in certificate.read_text()
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "reader"))
    assert "Nobody is in the trust list" in cli("trust").out
    added = cli("trust", "add", certificate)
    assert (added.code, added.err) == (0, "")
    assert "likeness local authority" in added.out
    assert cli("trust", "list").out == added.out
    found = json.loads(cli("verify", media / "sealed.png", "--json", "-").out)
    assert (found["credentials"]["state"], found["credentials"]["own"]) == ("valid", False)
    assert cli("trust", "remove", certificate).code == 0
    found = json.loads(cli("verify", media / "sealed.png", "--json", "-").out)
    assert found["credentials"]["state"] == "untrusted"


def test_trust_refuses_what_is_no_certificate(cli: Cli, media: Path) -> None:
    for given in (media, media / "bare.png", media / "notes.txt", media / "gone.pem"):
        assert cli("trust", "add", given).is_refusal(8), given
    assert cli("trust", "remove", "nobody").is_refusal(8)
    assert cli("trust", "add").code == 2


def test_identities(cli: Cli, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cli("identity", "show").out
    assert cli("identity", "create").is_refusal(8)
    assert cli("identity", "show").out == first
    made = cli("identity", "create", "--force")
    assert made.code == 0
    assert "the old one" in made.out
    assert cli("identity", "show").out != first
    notes = media / "notes.txt"
    assert cli("identity", "import", notes, notes).is_refusal(8)
    assert cli("identity", "import", notes, notes, "--password-env", "NO_SUCH_VARIABLE").is_refusal(2)
    assert cli("identity", "import", notes, notes, "--password-env", "").is_refusal(2)


def test_animate_checks_the_authority_first(
    cli: Cli, hopper_path: Path, carphone_path: Path, tmp_path: Path
) -> None:
    words = ("animate", hopper_path, carphone_path, "-o", tmp_path / "out.mp4", "--tsa-url")
    assert cli(*words, "ftp://example.org").is_refusal(2)
    outcome = cli(*words, "http://127.0.0.1:1/", "--max-side", "200", "--end", "0.2")
    assert outcome.is_refusal(8), outcome
    assert not (tmp_path / "out.mp4").exists()

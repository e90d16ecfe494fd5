"""Bad input gets one clear sentence, a next step, its exit code, and no output file. Never a traceback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness import models

from .conftest import Outcome

Cli = Callable[..., Outcome]

PORTRAITS = {
    "missing.jpg": 3,
    "folder.jpg": 3,
    "empty.jpg": 3,
    "text.jpg": 3,
    "truncated.jpg": 3,
    "huge.png": 3,
    "nobody.png": 4,
    "small_face.png": 4,
}
DRIVERS = {
    "missing.mp4": 3,
    "folder.jpg": 3,
    "empty.mp4": 3,
    "text.mp4": 3,
    "truncated.mp4": 3,
    "cut_off.mp4": 3,
    "sound_only.mp4": 3,
    "no_frames.mp4": 3,
    "one_frame.mp4": 3,
    "nobody.mp4": 4,
    "small_face.mp4": 4,
    "missing.motion": 3,
    "damaged.motion": 7,
}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the output would go; the folder has to stay empty."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "out.mp4"


def assert_refused(outcome: Outcome, code: int, out: Path | None = None) -> None:
    assert outcome.is_refusal(code), outcome
    assert "Traceback" not in outcome.err
    assert out is None or list(out.parent.iterdir()) == []


@pytest.mark.parametrize(("name", "code"), PORTRAITS.items())
def test_portraits(name: str, code: int, cli: Cli, bad_files: Path, carphone_path: Path, out: Path) -> None:
    outcome = cli("animate", bad_files / name, carphone_path, "-o", out)
    assert_refused(outcome, code, out)
    assert name in outcome.err, "which file it is about"


@pytest.mark.parametrize(("name", "code"), DRIVERS.items())
def test_drivers(name: str, code: int, cli: Cli, bad_files: Path, hopper_path: Path, out: Path) -> None:
    assert_refused(cli("animate", hopper_path, bad_files / name, "-o", out), code, out)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--strength", "9"), 2),
        (("--strength", "much"), 2),
        (("--start", "5", "--end", "2"), 2),
        (("--start", "soon"), 2),
        (("--best-frame", "last"), 2),
        (("--region", "ears"), 2),
        (("--no-such-option",), 2),
        (("--size", "7"), 2),
        (("--start", "3600"), 3),
        (("--audio", "missing.wav"), 3),
        (("--source-face", "3"), 4),
        (("--driving-face", "3"), 4),
        (("--label", "none"), 5),
        (("--rights", "self"), 2),
        (("--note", "mine"), 2),
        (("--engine", "mash"), 6),
    ],
)
def test_options(
    options: tuple[str, ...], code: int, cli: Cli, hopper_path: Path, carphone_path: Path, out: Path
) -> None:
    assert_refused(cli("animate", hopper_path, carphone_path, "-o", out, *options), code, out)


@pytest.mark.parametrize("name", ["truncated.mp4", "cut_off.m4a", "cut_off.mp4"])
def test_sound_from_a_file(
    name: str, cli: Cli, bad_files: Path, hopper_path: Path, carphone_path: Path, out: Path
) -> None:
    outcome = cli("animate", hopper_path, carphone_path, "-o", out, "--audio", bad_files / name)
    assert_refused(outcome, 3, out)
    assert name in outcome.err


def test_a_driver_that_breaks_off_may_be_used_before_that(
    cli: Cli, bad_files: Path, hopper_path: Path, out: Path
) -> None:
    words = ("animate", hopper_path, bad_files / "cut_off.mp4", "-o", out)
    refused = cli(*words, "--end", "10")
    assert_refused(refused, 3, out)
    assert "cut off" in refused.err
    assert cli(*words, "--end", "0.5").code == 0
    assert "damaged" not in cli(*words, "--end", "0.5", "--overwrite").out


def test_outputs(cli: Cli, hopper_path: Path, carphone_path: Path, out: Path) -> None:
    def animate(target: Path) -> Outcome:
        return cli("animate", hopper_path, carphone_path, "-o", target)

    assert_refused(animate(out.parent / "no_such_folder" / "out.mp4"), 9)
    assert_refused(animate(out.with_suffix(".avi")), 3)
    assert list(out.parent.iterdir()) == []
    out.write_text("mine")
    assert_refused(animate(out), 9)
    assert out.read_text() == "mine"
    assert_refused(animate(out / "below_a_file.mp4"), 9)
    copy = shutil.copy(carphone_path, out.parent / "driver.mp4")
    assert_refused(cli("animate", hopper_path, copy, "-o", copy, "--overwrite"), 2)
    assert Path(copy).read_bytes() == carphone_path.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file size limit for a process")
def test_a_disk_that_fills_up(hopper_path: Path, carphone_path: Path, out: Path, tmp_path: Path) -> None:
    # No file may grow beyond 100 kB, which fails like a full disk does: in the middle of writing.
    words = ["animate", str(hopper_path), str(carphone_path), "-o"]
    program = (
        "import resource, sys\n"
        "from likeness.cli.main import run\n"
        f"run([*{words!r}, {str(tmp_path / 'warm.gif')!r}, '--end', '0.1'])  # fills numba's cache\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        f"sys.exit(run([*{words!r}, {str(out)!r}]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240)
    assert_refused(Outcome(done.returncode, done.stdout, done.stderr), 9, out)


def test_a_model_with_the_wrong_hash(
    cli: Cli,
    hopper_path: Path,
    carphone_path: Path,
    out: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = models.info("face-landmarker")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / entry.file_name).write_bytes(bytes(entry.size_bytes))
    monkeypatch.setenv("LIKENESS_MODELS", str(tmp_path / "mine"))
    outcome = cli("animate", hopper_path, carphone_path, "-o", out)
    assert_refused(outcome, 7, out)
    assert "SHA-256" in outcome.err


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_missing_model_offline(
    how: str,
    cli: Cli,
    hopper_path: Path,
    carphone_path: Path,
    out: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIKENESS_MODELS", "")
    options = ()
    if how == "option":
        monkeypatch.delenv("LIKENESS_OFFLINE")
        options = ("--offline",)
    outcome = cli("animate", hopper_path, carphone_path, "-o", out, *options)
    assert_refused(outcome, 7, out)
    assert "likeness models pull face-landmarker" in outcome.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("motion", "record", "{bad}/nobody.mp4", "-o", "{out}.motion"), 4),
        (("motion", "record", "{bad}/missing.mp4", "-o", "{out}.motion"), 3),
        (("motion", "record", "{bad}/small_face.mp4", "-o", "{out}"), 2),
        (("motion", "record", "{bad}/small_face.mp4", "-o", "{out}/nowhere/a.motion"), 9),
        (("motion",), 2),
        (("motion", "record", "{bad}/truncated.mp4", "-o", "{out}.motion"), 3),
        (("motion", "record", "{bad}/cut_off.mp4", "-o", "{out}.motion"), 3),
        (("faces", "{bad}/nobody.png"), 4),
        (("faces", "{bad}/truncated.mp4"), 3),
        (("faces", "{bad}/cut_off.mp4"), 3),
        (("faces", "{bad}/text.jpg"), 3),
        (("faces", "{bad}/nobody.png", "-o", "{out}.jpg"), 2),
        (("verify", "{bad}/missing.mp4"), 3),
        (("verify", "{bad}/empty.mp4"), 3),
        (("verify", "{bad}/text.jpg"), 3),
        (("verify", "{bad}/folder.jpg"), 3),
        (("models", "info", "face-landmraker"), 7),
        (("models", "pull", "nothing"), 7),
        (("demo", "--out", "{bad}/empty.jpg"), 9),
        (("dance",), 2),
        (("animate",), 2),
    ],
)
def test_other_commands(words: tuple[str, ...], code: int, cli: Cli, bad_files: Path, out: Path) -> None:
    outcome = cli(*(word.format(bad=bad_files, out=out) for word in words))
    assert_refused(outcome, code, out)


def test_the_next_step_names_the_command(cli: Cli) -> None:
    refused = cli("consent", "check")
    assert refused.is_refusal(2)
    assert "`likeness consent check --help`" in refused.err
    assert "`likeness animate --help`" in cli("animate", "--nosuch").err


def test_debug_shows_the_traceback_wherever_it_stands(cli: Cli, out: Path) -> None:
    for words in (("--debug", "verify", "missing"), ("verify", "missing", "--debug")):
        outcome = cli(*words)
        assert outcome.code == 3
        assert "Traceback" in outcome.err
        assert outcome.err.splitlines()[-2].startswith("likeness: ")


def test_the_unexpected_is_one_sentence_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(name: str) -> None:
        raise ZeroDivisionError("a mistake of ours\nin two lines")

    monkeypatch.setattr(models, "info", surprise)
    outcome = cli("models", "info", "x")
    assert_refused(outcome, 1)
    assert "--debug" in outcome.err
    assert "a mistake of ours in two lines" in outcome.err

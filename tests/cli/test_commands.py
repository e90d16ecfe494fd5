"""The commands that work: what they print, what they write, and how they end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from PIL import Image

import likeness
from likeness import config, models, types
from likeness.cli import animate as animate_command
from likeness.cli.main import run
from likeness.cli.values import parse_audio, parse_best_frame, parse_rights, parse_time
from likeness.errors import UsageError
from likeness.progress import Progress

from .conftest import Outcome

Cli = Callable[..., Outcome]
VERBS = ("animate", "demo", "motion", "faces", "verify", "doctor", "models", "identity", "trust")


def test_help_names_every_verb(cli: Cli) -> None:
    for words in ((), ("--help",), ("-h",)):
        outcome = cli(*words)
        assert outcome.code == 0
        assert all(verb in outcome.out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, cli: Cli) -> None:
    outcome = cli(verb, "--help")
    assert outcome.code == 0
    assert f"likeness {verb}" in outcome.out


@pytest.mark.parametrize(
    "words", [*((verb,) for verb in VERBS), ("motion", "record"), ("models", "info"), ("identity", "show")]
)
def test_help_names_values_by_what_they_are(words: tuple[str, ...], cli: Cli) -> None:
    """In upper case; nothing stands beside a flag."""
    options = [line for line in cli(*words, "--help").out.splitlines() if re.search(r" --[a-z]", line)]
    assert options
    assert not any(re.search(r"<[a-z ]+>", line) for line in options)


def test_help_of_animate_is_exact(cli: Cli) -> None:
    said = " ".join(re.sub(r"[│\s]+", " ", cli("animate", "--help").out).split())
    assert "PORTRAIT" in said
    assert "DRIVING" in said
    assert "no side is longer than this many pixels" in said
    assert "how far it turns, shifts, and comes nearer" in said


def test_version(cli: Cli) -> None:
    assert cli("--version").out.startswith("likeness 0.")


def test_animate_offers_what_the_configuration_knows() -> None:
    """The choices are written twice, since the configuration is too heavy to import for --help."""
    offered = get_type_hints(animate_command.animate)
    assert get_args(offered["region"]) == get_args(config.Region)
    assert get_args(offered["device"]) == get_args(config.Device)
    assert get_args(offered["label"]) == get_args(types.Label)
    assert get_args(offered["label_language"]) == get_args(types.LabelLanguage)
    assert get_args(get_args(offered["rights"])[0]) == get_args(types.RightsKind)
    known = {field.name for field in config.dataclasses.fields(config.AnimateConfig)}
    renamed = {"start": "start_s", "end": "end_s"}
    names = {renamed.get(name, name) for name in offered}
    assert known <= names, "every choice of the configuration has an option"


def test_animate_passes_every_option_on(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: dict[str, object] = {}

    def animate(portrait: Path, driving: Path, **rest: object) -> object:
        seen.update(rest, portrait=portrait, driving=driving)
        raise UsageError("Enough was seen.", "Stop.")

    monkeypatch.setattr(likeness, "animate", animate)
    words = "a.jpg b.mp4 -o c.mp4 --engine x --absolute --no-adapt-scale --best-frame 7 --region lips"
    words += (
        " --strength 0.5 --pose-strength 0.25 --smooth 0.75 --max-side 640 --crop --size 256 --start 1:02.5"
    )
    words += " --end 70 --audio s.wav --source-face 2 --driving-face 3 --label none --rights self --note mine"
    words += " --label-language de --overwrite --offline --device cpu"
    assert cli("animate", *words.split()).code == 2
    assert (seen["portrait"], seen["driving"], seen["out"]) == (Path("a.jpg"), Path("b.mp4"), Path("c.mp4"))
    assert seen["engine"] == "x"
    assert seen["config"] == config.AnimateConfig(
        relative=False,
        adapt_scale=False,
        best_frame=7,
        region="lips",
        strength=0.5,
        pose_strength=0.25,
        smooth=0.75,
        max_side=640,
        crop=True,
        size=256,
        start_s=Fraction(125, 2),
        end_s=Fraction(70),
        audio=Path("s.wav"),
        source_face=2,
        driving_face=3,
        label="none",
        label_language="de",
        rights=types.Rights("self", "mine"),
        overwrite=True,
        offline=True,
        device="cpu",
    )
    seen.clear()
    cli("animate", "a.jpg", "b.mp4", "-o", "c.mp4")
    assert seen["config"] == config.AnimateConfig(), "the defaults are the configuration's"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, hopper_path: Path, carphone_path: Path) -> Path:
    """A short animation, small."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    words = ["animate", str(hopper_path), str(carphone_path), "-o", str(path)]
    assert run([*words, "--max-side", "256", "--end", "0.3"]) == 0
    return path


def test_a_finished_clip_says_what_it_is(cli: Cli, clip: Path) -> None:
    outcome = cli("verify", clip)
    assert outcome.code == 0
    assert "signed by this computer's own likeness identity" in outcome.out
    found = json.loads(cli("verify", clip, "--json", "-").out)
    assert found["credentials"]["state"] == "untrusted", "nobody chose to trust this computer's identity"
    assert found["credentials"]["own"] is True
    assert found["manifest"]["active_manifest"] == found["credentials"]["manifest_id"]
    assert [one["role"] for one in found["stated"]["ingredients"]] == ["source", "driver"]


def test_verify_tells_scripts_by_its_exit_code(
    cli: Cli, clip: Path, hopper_path: Path, tmp_path: Path
) -> None:
    assert cli("verify", hopper_path).code == 11, "no credentials"
    data = bytearray(clip.read_bytes())
    data[data.rindex(b"mdat") + len(b"mdat") + 2000] ^= 0xFF
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(data)
    assert cli("verify", changed).code == 10, "changed since"


def test_a_recorded_motion_drives(cli: Cli, hopper_path: Path, carphone_path: Path, tmp_path: Path) -> None:
    motion, out = tmp_path / "talk.motion", tmp_path / "out.gif"
    recorded = cli("motion", "record", carphone_path, "-o", motion, "--start", "0.5", "--end", "0.7")
    assert (recorded.code, recorded.err) == (0, "")
    assert "6 frames at 29.97 a second" in recorded.out
    assert cli("motion", "record", carphone_path, "-o", motion).is_refusal(9), "it is there already"
    animated = cli("animate", hopper_path, motion, "-o", out, "--max-side", "200")
    assert animated.code == 0, animated
    with Image.open(out) as gif:
        assert getattr(gif, "n_frames", 1) == 6


def test_a_motion_may_hold_nothing_of_the_look(cli: Cli, carphone_path: Path, tmp_path: Path) -> None:
    sizes = []
    for name, options in (("look", ()), ("bare", ("--geometry-only",))):
        path = tmp_path / f"{name}.motion"
        assert cli("motion", "record", carphone_path, "-o", path, "--end", "0.1", *options).code == 0
        sizes.append(path.stat().st_size)
    assert sizes[1] < sizes[0] / 2


def test_faces_are_listed_and_numbered(
    cli: Cli, hopper_path: Path, carphone_path: Path, tmp_path: Path
) -> None:
    numbered = tmp_path / "numbered.png"
    outcome = cli("faces", hopper_path, "-o", numbered)
    assert outcome.code == 0
    assert outcome.out.startswith("1  left ")
    before, after = np.asarray(Image.open(hopper_path)), np.asarray(Image.open(numbered))
    assert before.shape == after.shape
    share = (before != after).any(axis=2).mean()
    assert 0.001 < share < 0.2, "a frame and a number, and else the same picture"
    assert cli("faces", hopper_path, "-o", numbered).is_refusal(9)
    assert cli("faces", carphone_path).out.startswith("1  left ")


def test_models(cli: Cli) -> None:
    listed = cli("models", "list")
    assert listed.code == 0
    assert cli("models").out == listed.out
    for entry in models.all_models():
        assert entry.name in listed.out
        assert entry.licence in listed.out
        told = cli("models", "info", entry.name).out
        assert entry.sha256 in told
        assert entry.attribution in told
    pulled = cli("models", "pull", "grace-hopper")
    assert (pulled.code, pulled.err) == (0, "")
    assert pulled.out.strip().endswith("grace_hopper.jpg")


def test_identity_is_told(cli: Cli, clip: Path) -> None:
    told = cli("identity", "show").out
    assert "likeness local identity" in told
    assert cli("identity").out == told


def test_doctor(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    outcome = cli("doctor")
    assert outcome.code == 0, outcome
    assert "All that is needed works." in outcome.out
    checks = {check["name"]: check for check in json.loads(cli("doctor", "--json").out)["checks"]}
    assert checks["libx264"]["state"] == "ok"
    assert checks["face-landmarker"]["state"] == "ok"
    assert checks["mesh"]["topic"] == "engines"


def test_doctor_says_what_to_do_about_each_gap(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry = models.info("face-landmarker")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / entry.file_name).write_bytes(bytes(entry.size_bytes))
    monkeypatch.setenv("LIKENESS_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "config").mkdir(parents=True)
    (tmp_path / "home" / "config" / "identity.pem").write_text("damaged")
    outcome = cli("doctor", "--json")
    assert outcome.code == 1
    checks = {check["name"]: check for check in json.loads(outcome.out)["checks"]}
    assert checks["face-landmarker"]["state"] == "broken"
    assert checks["signing identity"]["state"] == "broken"
    assert checks["carphone"]["state"] == "gap"
    for check in checks.values():
        assert bool(check["advice"]) == (check["state"] != "ok"), check


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way")
def test_ctrl_c_leaves_nothing(hopper_path: Path, carphone_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    command = [sys.executable, "-m", "likeness", "animate", hopper_path, carphone_path, "-o", out]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline_s = time.monotonic() + 60
        while not list(tmp_path.glob(".out*")) and process.poll() is None and time.monotonic() < deadline_s:
            time.sleep(0.01)  # until it has begun to write
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "likeness: stopped; nothing was written.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no broken pipes")
def test_a_closed_pipe_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "likeness", "models", "list"], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert done.stderr == ""


def test_progress_is_silent_without_a_terminal(cli: Cli, clip: Path) -> None:
    assert cli("faces", models.fetch("grace-hopper")).err == ""


def test_progress_shows_speed_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from likeness.cli.progress import progress_bar

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar() as report:
        for done in range(1, 51):
            report(Progress("animate", done, 50))
        report(Progress("fetch x", 1_500_000, 3_000_000, "bytes"))
    shown = capsys.readouterr().err
    assert "50/50 frames" in shown
    assert "/s" in shown
    assert "1.5 MB" in shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("12.5", Fraction(25, 2)),
        ("1:02.5", Fraction(125, 2)),
        ("1:00:00", 3600),
        ("0.1", Fraction(1, 10)),
    ],
)
def test_times_are_exact(text: str, seconds: Fraction) -> None:
    assert parse_time("--start", text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1e3", "nan", "1:", ":5", "1:2:3:4", "٣", "1/2", "9" * 30])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError):
        parse_time("--start", text)


def test_other_values() -> None:
    assert parse_time("--start", None) is None
    assert parse_best_frame("auto") == "auto"
    assert parse_best_frame("17") == 17
    assert parse_audio("none") == "none"
    assert parse_audio("./none") == Path("none")
    assert parse_rights(None, "") is None
    assert parse_rights("self", " mine ") == types.Rights("self", "mine")

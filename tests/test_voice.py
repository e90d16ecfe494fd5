"""What `likeness.voice` offers: exactly this, all of it documented, and torch only where it is needed."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from likeness import voice
from likeness.errors import ConsentMissing, MissingExtra
from likeness.pipelines import target_voice

from .voice_people import corpus_record, make_voice

VERBS = {"convert", "convert_all", "enroll", "evaluate", "open_voice", "say"}


def test_the_names_are_there_and_documented() -> None:
    assert set(voice.__all__) <= set(dir(voice))
    for name in voice.__all__:
        value = getattr(voice, name)
        assert inspect.getdoc(value), name
        assert inspect.isfunction(value) if name in VERBS else inspect.isclass(value), name
    for name in VERBS:
        assert "Raises:" in str(inspect.getdoc(getattr(voice, name))), name
    assert {name for name in voice.__all__ if name[0].islower()} == VERBS
    assert not hasattr(voice, "deceive")


def test_torch_comes_when_it_is_needed() -> None:
    program = (
        "import sys\nfrom likeness import voice\n"
        "voice.enroll, voice.convert, voice.say, voice.open_voice\nassert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """That is said before any recording is opened: there is none."""
    monkeypatch.setattr(target_voice, "find_spec", lambda name: None)
    record = corpus_record(tmp_path)
    with pytest.raises(MissingExtra, match="torch"):
        voice.enroll(tmp_path / "none.wav", tmp_path / "a.voice", consent=record)
    with pytest.raises(MissingExtra, match="torch"):
        voice.convert_all(tmp_path / "none.wav", to=make_voice(record), folder=tmp_path / "out")
    with pytest.raises(ConsentMissing):  # that comes first, whatever is installed
        voice.enroll("samples", "a.voice", consent=None)

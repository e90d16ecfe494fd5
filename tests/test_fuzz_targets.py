"""What `fuzz/` does for minutes with atheris, for a few seconds with Hypothesis: see `fuzz/targets.py`."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TARGETS_PY = Path(__file__).parents[1] / "fuzz" / "targets.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_targets", TARGETS_PY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


targets = load()
EXAMPLES = {"pictures": 4, "files": 15}
HEADER = json.dumps(
    {
        "format": "likeness motion",
        "version": 1,
        "rate": "25",
        "width": 9,
        "height": 9,
        "frames": 1,
        "chunk": 64,
    }
)
# Words that the formats know, so that chance gets past the first bytes.
WORDS = st.sampled_from(
    [
        b"PK\x03\x04",
        b"PK\x01\x02",
        b"PK\x05\x06" + bytes(18),
        HEADER.encode(),
        b"\xfe\xff",
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 52), }",
        b"-----BEGIN CERTIFICATE-----",
        b"-----END CERTIFICATE-----",
        b"\x89PNG\r\n\x1a\n",
        b"\x00\x00\x00\x0cJXL \r\n\x87\n",
        b"\x00\x00\x00\x18ftypmp42",
        b"\x00\x00\x00\x08moov",
        b"RIFF\xff\xff\xff\xffWAVE",
        b"C2PA\xff\xff\xff\xff",
        b"GIF89a\1\0\1\0\x80\0\0",
        b"!\xff\x0bC2PA_GIF\1\0\0",
        b"II*\0\x08\0\0\0",
        b"\xff\xd8\xff\xeb",
        b"ID3\x04\0\0",
        b"GEOB",
        b"\xff" * 8,
        bytes(8),
        b'{"active_manifest": "a", "manifests": {"a": {}}, "validation_results": [',
        b'{"format": "likeness consent", "version": 1, ',
        b'{"format": "likeness consent revocation", "version": 1, ',
        b"\xe2\x80\xae",
        b"\\ud800",
    ]
)
DATA = st.binary(max_size=600) | st.lists(WORDS | st.binary(max_size=24), max_size=14).map(b"".join)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_any_bytes_are_read_or_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "folder", lambda: tmp_path)
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))

    @settings(
        max_examples=EXAMPLES.get(name, 60),
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(DATA)
    def run(data: bytes) -> None:
        targets.TARGETS[name](data)

    run()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=4), one, max_size=3),
)


def test_any_header_of_a_motion_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sound archive whose header says anything for one of its values."""
    monkeypatch.setattr(targets, "folder", lambda: tmp_path)
    whole = {**json.loads(HEADER), "fields": ["points", "blendshapes", "held"]}

    @settings(max_examples=150, deadline=None, database=None)
    @given(st.sampled_from(sorted(whole)), JSON)
    def run(key: str, value: object) -> None:
        targets.motion_entries(json.dumps({**whole, key: value}).encode())

    run()

"""Choices are checked when they are made, and say what may be chosen instead."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.config import AnimateConfig, Device, MotionConfig, Region, from_mapping
from likeness.errors import RightsMissing, UsageError
from likeness.types import Rights

MINE = Rights("self", "It shows me.")


def test_the_defaults_are_allowed() -> None:
    assert AnimateConfig() == from_mapping({})
    assert MotionConfig().relative


@pytest.mark.parametrize(
    "values",
    [
        {"strength": 0},
        {"strength": 2.0, "pose_strength": 0.0},
        {"smooth": 1.0},
        {"best_frame": 0},
        {"best_frame": "first"},
        {"max_side": 128},
        {"max_side": 8192, "size": 4096},
        {"start_s": Fraction(0), "end_s": Fraction(1, 1000)},
        {"end_s": Fraction(5)},
        {"audio": "none"},
        {"audio": Path("speech.wav")},
        {"source_face": 1, "driving_face": 20},
        {"label": "none", "rights": MINE},
        *({"region": region} for region in get_args(Region)),
        *({"device": device} for device in get_args(Device)),
    ],
    ids=str,
)
def test_what_may_be_chosen(values: dict[str, Any]) -> None:
    config = from_mapping(values)
    assert {name: getattr(config, name) for name in values} == values


@pytest.mark.parametrize(
    "values",
    [
        {"strength": -0.1},
        {"strength": 2.1},
        {"strength": float("nan")},
        {"strength": float("inf")},
        {"pose_strength": -1},
        {"pose_strength": 3},
        {"smooth": -0.01},
        {"smooth": 1.01},
        {"smooth": float("nan")},
        {"best_frame": -1},
        {"best_frame": "last"},
        {"region": "ears"},
        {"device": "tpu"},
        {"label": "maybe"},
        {"label_language": "tlh"},
        {"audio": "loud"},
        {"max_side": 127},
        {"max_side": 8193},
        {"size": 10},
        {"size": 5000},
        {"start_s": Fraction(-1)},
        {"start_s": Fraction(2), "end_s": Fraction(2)},
        {"start_s": Fraction(3), "end_s": Fraction(2)},
        {"end_s": Fraction(0)},
        {"end_s": Fraction(-1)},
        {"source_face": 0},
        {"driving_face": -1},
        {"driving_face": 1001},
    ],
    ids=str,
)
def test_what_may_not(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        from_mapping(values)
    assert caught.value.what.endswith(".")
    assert caught.value.hint.endswith(".")


def test_unknown_names_are_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="sharpness, speed") as caught:
        from_mapping({"speed": 2, "strength": 1, "sharpness": 3})
    assert "pose_strength" in caught.value.hint


def test_leaving_out_the_label_needs_rights() -> None:
    with pytest.raises(RightsMissing) as caught:
        AnimateConfig(label="none")
    assert "--rights" in caught.value.hint
    assert AnimateConfig(label="auto", rights=MINE).rights is MINE


@given(st.floats(0, 2), st.floats(0, 2), st.floats(0, 1), st.integers(0, 10**9))
def test_every_value_in_its_range(strength: float, pose: float, smooth: float, best_frame: int) -> None:
    config = MotionConfig(strength=strength, pose_strength=pose, smooth=smooth, best_frame=best_frame)
    assert (config.strength, config.pose_strength, config.best_frame) == (strength, pose, best_frame)


@given(st.floats().filter(lambda value: not 0 <= value <= 2))
def test_no_value_outside(strength: float) -> None:
    with pytest.raises(UsageError):
        MotionConfig(strength=strength)


def test_a_choice_cannot_be_changed_afterwards_but_replaced() -> None:
    config = AnimateConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.strength = 2  # type: ignore[misc]
    assert dataclasses.replace(config, strength=0.5).strength == 0.5
    with pytest.raises(UsageError):
        dataclasses.replace(config, strength=9)


def test_a_consent_is_named_like_every_other_file() -> None:
    for path in ("g.consent.json", Path("g.consent.json")):
        assert from_mapping({"consent": path, "label": "none"}).consent == Path("g.consent.json")
    for wrong in (b"g.consent.json", 3, True):
        with pytest.raises(UsageError, match="not a file"):
            from_mapping({"consent": wrong})

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from likeness import registry
from likeness.errors import EngineError, MissingExtra, UnknownEngine


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four engines as other packages might offer them."""
    offers = {
        "good": "fractions:Fraction",
        "bare": "a_package_that_is_not_installed.engine:Engine",
        "moved": "fractions:Engine",
        "function": "math:sqrt",
    }
    entries = tuple(EntryPoint(name, value, registry.GROUP) for name, value in offers.items())
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)


def test_our_own_engine_is_offered() -> None:
    assert "mesh" in registry.engine_names()


def test_an_engine_of_another_package(offered: None) -> None:
    from fractions import Fraction

    assert registry.engine_names() == ("bare", "function", "good", "moved")
    assert registry.get_engine("good") is Fraction


def test_an_unknown_name_suggests_the_nearest(offered: None) -> None:
    with pytest.raises(UnknownEngine, match="goood") as caught:
        registry.get_engine("goood")
    assert "Did you mean “good”?" in caught.value.hint
    assert "bare, function, good, moved" in caught.value.hint
    with pytest.raises(UnknownEngine) as caught:
        registry.get_engine("xyz")
    assert "Did you mean" not in caught.value.hint


def test_a_missing_package_is_named(offered: None) -> None:
    with pytest.raises(MissingExtra, match="a_package_that_is_not_installed"):
        registry.get_engine("bare")


@pytest.mark.parametrize("name", ["moved", "function"])
def test_what_is_not_a_class_is_refused(offered: None, name: str) -> None:
    with pytest.raises(EngineError, match="not a class"):
        registry.get_engine(name)

"""What `import likeness` offers: exactly this, all of it documented, and none of it heavy."""

from __future__ import annotations

import inspect
import subprocess
import sys

import likeness

VERBS = {"animate", "list_faces", "record_motion", "verify"}
TYPES = {
    "AnimateConfig",
    "Animation",
    "Face",
    "LikenessError",
    "Progress",
    "Recording",
    "Rights",
    "Verification",
}


def test_the_names_are_these() -> None:
    assert set(likeness.__all__) == VERBS | TYPES
    assert set(likeness.__all__) <= set(dir(likeness))


def test_every_name_is_there_and_documented() -> None:
    for name in likeness.__all__:
        value = getattr(likeness, name)
        assert inspect.getdoc(value), name
        assert inspect.isfunction(value) if name in VERBS else inspect.isclass(value), name


def test_verbs_say_what_they_raise() -> None:
    for name in VERBS:
        assert "Raises:" in inspect.getdoc(getattr(likeness, name)), name  # type: ignore[operator]


def test_a_name_that_is_not_there() -> None:
    assert not hasattr(likeness, "deceive")


def test_verbs_stay_functions_whatever_was_imported_first() -> None:
    """A module of the same name would take a verb's place as soon as somebody imports it."""
    program = (
        "import pkgutil, likeness\n"
        "modules = {module.name for module in pkgutil.iter_modules(likeness.__path__)}\n"
        "print(*modules & set(likeness.__all__))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

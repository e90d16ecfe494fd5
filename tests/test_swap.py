"""What `likeness.swap` offers: exactly this, all of it documented, and torch only where it is needed."""

from __future__ import annotations

import inspect
import subprocess
import sys

from likeness import swap

VERBS = {"convert", "extract", "quick", "recut", "refine", "sort", "train"}


def test_the_names_are_there_and_documented() -> None:
    assert set(swap.__all__) <= set(dir(swap))
    for name in swap.__all__:
        value = getattr(swap, name)
        assert inspect.getdoc(value), name
        assert inspect.isfunction(value) if name in VERBS else inspect.isclass(value), name
    for name in VERBS:
        assert "Raises:" in str(inspect.getdoc(getattr(swap, name))), name
    assert {name for name in swap.__all__ if name[0].islower()} == VERBS
    assert not hasattr(swap, "deceive")


def test_what_needs_no_training_needs_no_torch() -> None:
    program = (
        "import sys\nfrom likeness import swap\n"
        "swap.extract, swap.sort, swap.convert, swap.quick\nassert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

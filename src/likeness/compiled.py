"""How inner loops are compiled: by numba on first use, and kept for the next time.

Importing this takes as long as importing numba, some 0.3 s: where nothing may wait for it, do so late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba as nb

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a loop for one thread that lets go of Python's lock, so that other stages run beside it.

    The machine code is kept beside the module, or in the user's cache folder where the package lies in a
    place that cannot be written; with neither, every process compiles anew.
    """
    # Liberties with rounding only: not-a-number stays what it is, so that comparisons still catch it.
    options: dict[str, Any] = {
        "nogil": True,
        "fastmath": {"contract", "reassoc", "nsz", "arcp"},
        "error_model": "numpy",
    }
    try:
        return nb.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # numba found no place for its cache
        return nb.njit(**options)(function)  # type: ignore[no-any-return]

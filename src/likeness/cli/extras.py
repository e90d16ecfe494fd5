"""Parts of the package that are installed separately."""

from __future__ import annotations

from importlib.util import find_spec


def need_torch() -> None:
    """Refuse, before any work, where what the First Order Motion Model needs is missing.

    Raises:
        MissingExtra: the extra "fomm" is not installed.
    """
    from likeness.errors import MissingExtra

    for module in ("torch", "yaml"):
        if find_spec(module) is None:
            raise MissingExtra(
                f"This needs the package {module}, which is not installed here.",
                'Install it with `pip install "likeness[fomm]"`.',
            )

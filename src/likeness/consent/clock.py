"""Whether this computer's clock can be right: a record that has ended must not come back by setting it back.

The latest time that was ever seen is kept in the user's data folder. It stops carelessness, not intent: the
file can be deleted, and has to be where the clock was wrong once, in the future.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
from pathlib import Path
from typing import Final

from likeness.consent.canonical import DocumentError, parse, read_bytes, readable
from likeness.consent.fields import Fields, spell_time
from likeness.errors import ConsentExpired
from likeness.paths import config_dir

SKEW: Final = dt.timedelta(days=1)
"""So much may the clocks of two computers, or of one computer at two times, differ."""
_STEP: Final = dt.timedelta(hours=1)  # what was seen is not written down more often


def memory() -> Path:
    """The file that remembers the latest time seen."""
    return config_dir() / "consent" / "clock.json"


def read_clock() -> dt.datetime:
    """The time (UTC), remembered.

    Where the folder cannot be written to, the time is not remembered, and nothing is refused for that.

    Raises:
        ConsentExpired: the clock is more than a day behind a time that was seen before.
    """
    now = _now()
    seen = _recall()
    if seen is not None and seen - now > SKEW:
        raise ConsentExpired(
            f"This computer's clock says {now:%Y-%m-%d %H:%M} UTC, but it was {seen:%Y-%m-%d %H:%M} before: "
            "it was set back.",
            f"Set it right. If it is right now and was wrong before, delete '{memory()}'.",
        )
    if seen is None or now - seen > _STEP:
        _remember(now)
    return now


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _recall() -> dt.datetime | None:
    """The latest time seen; None where it was never noted, or the note is damaged."""
    try:
        return Fields(parse(read_bytes(memory(), 1000)), "clock", "latest").time("latest")
    except (OSError, DocumentError):
        return None


def _remember(now: dt.datetime) -> None:
    temporary = memory().with_name(f".clock.{secrets.token_hex(8)}")
    with contextlib.suppress(OSError):
        memory().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            temporary.write_bytes(readable({"latest": spell_time(now)}))
            temporary.replace(memory())
        finally:
            temporary.unlink(missing_ok=True)

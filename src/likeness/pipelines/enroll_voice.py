"""Learn a person's voice from recordings: consent ▸ screen ▸ one person, the right one ▸ learn ▸ `.voice`.

This makes nothing that can be heard, and so seals nothing. What it writes holds the person's speech and is to
be kept as carefully as the recordings.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from likeness.consent import Permission, check
from likeness.consent.match import compare_voice, unknown_voice
from likeness.consent.permission import Consent
from likeness.consent.text import tidy_name
from likeness.disclosure.watermark.audio_search import find_in_sound
from likeness.engines.voice.base import Learn
from likeness.errors import EvidenceRefused, NoSpeech, SubjectMismatch, UsageError
from likeness.media.files import check_file_output
from likeness.pipelines.find_sounds import find_sounds
from likeness.progress import OnProgress, Progress, silent
from likeness.speech.english import warn_language
from likeness.speech.extra import RATE_HZ
from likeness.types import Floats
from likeness.voices.screening import Dropped, Inspect, Reason, Screened, screen, sha256_of
from likeness.voices.speakers import PERHAPS_TWO, TWO_VOICES, Embedded, embed, split
from likeness.voices.voice import Learnt, Recording, Voice
from likeness.voices.voice_file import SUFFIX, write_voice

PathLike: TypeAlias = str | os.PathLike[str]
LEAST_S: Final = 30.0
MOST_S: Final = 1800.0
SEARCHED_WHOLE_S: Final = 300.0
"""So much is searched for our watermark without a gap; of what follows, 12 s of every minute."""
_SEARCH_S: Final = 12
_NAME_LETTERS: Final = 60
_MOST_PLACES: Final = 8


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What was learned.

    Attributes:
        path: the `.voice` file.
        voice: what it holds.
        used_s: how much speech was used.
        pauses_s: how much was left out because nobody spoke.
        recordings: what was used.
        dropped: what was left out, and why.
        warnings: what a person should know, one sentence each.
    """

    path: Path
    voice: Voice
    used_s: float
    pauses_s: float
    recordings: tuple[Recording, ...]
    dropped: tuple[Dropped, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The report, as JSON values."""
        return {
            "voice": self.path.name,
            "used_s": round(self.used_s, 2),
            "pauses_s": round(self.pauses_s, 2),
            "used": [dataclasses.asdict(one) for one in self.recordings],
            "dropped": [dataclasses.asdict(one) for one in self.dropped],
            "warnings": list(self.warnings),
        }


def enroll(
    samples: PathLike | Sequence[PathLike],
    out: PathLike,
    *,
    consent: Consent | None,
    name: str | None = None,
    overwrite: bool = False,
    offline: bool = False,
    learn: Learn,
    on_progress: OnProgress = silent,
) -> Enrolment:
    """As `likeness.voice.enroll`, which says what this takes and what it refuses.

    Args:
        learn: what learns of the speech; `likeness.voice.enroll` gives our own engine's.
    """
    permission = check(consent, act="voice")
    is_subject = permission.record.kind == "subject"
    if is_subject and permission.references.voice is None:
        permission.compare(
            unknown_voice("the samples", "the record holds no voice to compare with"), must_match=True
        )
    out = Path(out)
    if out.suffix.lower() != SUFFIX:
        raise UsageError(f"{out} does not end in {SUFFIX}.", f"Name it {out.with_suffix(SUFFIX).name}.")
    paths = find_sounds(samples)
    check_file_output(out, overwrite=overwrite, inputs=paths)
    _refuse_copies(paths)
    may_fetch = offline or None
    screened = _screen_all(paths, may_fetch, on_progress)
    files, heard = _embed_all(screened, may_fetch, on_progress)
    warnings = list(_check_one_voice(heard))
    _check_enough(files)
    if is_subject:
        files, permission = _compare_all(files, heard, permission)
        _check_enough(files)
    speech = [stretch.samples for one in files for stretch in one.stretches]
    warnings += filter(None, [warn_language(np.concatenate(speech), RATE_HZ, "The voice", offline=may_fetch)])
    on_progress(Progress("learn", 0, None, "s"))
    learnt = learn(speech, offline=may_fetch, on_progress=on_progress)
    voice = _voice(name or out.stem, permission, heard, files, learnt)
    sha256 = write_voice(voice, out)
    dropped = tuple(part for one in files for part in one.dropped)
    return Enrolment(
        path=out,
        voice=dataclasses.replace(voice, sha256=sha256),
        used_s=voice.used_s,
        pauses_s=sum(one.pauses_s for one in files),
        recordings=voice.recordings,
        dropped=dropped,
        warnings=(*permission.notes, *warnings, *learnt.notes),
    )


class _MarkSearch:
    """Looks for our watermark in what is kept; what carries it was synthesised."""

    def __init__(self) -> None:
        self._searched_s = 0.0

    def in_file(self, path: Path) -> Inspect:
        def inspect(mono: Floats, at_s: float) -> None:
            length_s = len(mono) / RATE_HZ
            part = mono if self._searched_s < SEARCHED_WHOLE_S else mono[: _SEARCH_S * RATE_HZ]
            self._searched_s += length_s
            found = find_in_sound(part[None], RATE_HZ)
            if found is not None:
                raise EvidenceRefused(
                    f"{path.name} carries the watermark of likeness (from {at_s + found.at_s:.0f} s on): it, "
                    "or a part of it, was synthesised.",
                    "Enrol recordings of the person themselves.",
                )

        return inspect


def _refuse_copies(paths: list[Path]) -> None:
    """Refuse a recording that is there twice, under two names. Files of different sizes need not be read."""
    sizes = {path: path.stat().st_size for path in paths}
    count, known = Counter(sizes.values()), dict[str, Path]()
    for path, size in sizes.items():
        if count[size] > 1 and (first := known.setdefault(sha256_of(path), path)) != path:
            raise UsageError(f"{first} and {path} are the same recording.", "Give each recording once.")


def _screen_all(paths: list[Path], offline: bool | None, on_progress: OnProgress) -> list[Screened]:
    """All files, until enough was kept."""
    search, files, kept_s = _MarkSearch(), [], 0.0
    for number, path in enumerate(paths):
        on_progress(Progress("look through", number, len(paths), "files"))
        if kept_s >= MOST_S:
            files.append(Screened(path, "", 0.0, (), (Dropped(path.name, 0.0, 0.0, "enough"),)))
            continue
        files.append(screen(path, most_s=MOST_S - kept_s, inspect=search.in_file(path), offline=offline))
        kept_s += files[-1].kept_s
    on_progress(Progress("look through", len(paths), len(paths), "files"))
    return files


def _embed_all(
    files: list[Screened], offline: bool | None, on_progress: OnProgress
) -> tuple[list[Screened], dict[Path, Embedded]]:
    """The files, less those that are too short to say whose voice it is; and the embeddings of the others."""
    left, heard = [], {}
    for number, one in enumerate(files):
        found = embed(one, offline=offline) if one.stretches else None
        if found is not None:
            heard[one.path] = found
        elif one.stretches:
            one = one.refuse("too short", "to say whose voice it is")
        left.append(one)
        on_progress(Progress("compare voices", number + 1, len(files), "files"))
    return left, heard


def _check_one_voice(heard: dict[Path, Embedded]) -> list[str]:
    """A warning where it may be two people's.

    Raises:
        SubjectMismatch: it is surely two people's; says where.
    """
    if not heard:
        return []
    found = split(list(heard.values()))
    if found.similarity >= PERHAPS_TWO:
        return []
    places = "; ".join(map(str, found.others[:_MOST_PLACES]))
    more = f"; and {len(found.others) - _MOST_PLACES} more" if len(found.others) > _MOST_PLACES else ""
    shown = math.floor(100 * found.similarity) / 100  # never as what is enough
    figure = f"similarity {shown:.2f}; one person's is {PERHAPS_TWO:.2f} and more"
    if found.similarity < TWO_VOICES:
        raise SubjectMismatch(
            f"Two people speak in the samples. One of them is heard in {places}{more} ({figure}).",
            "Cut one of them out, or leave those files out, and enrol one person only.",
        )
    return [f"Perhaps two people speak: {places}{more} sound unlike the rest ({figure}). Listen to them."]


def _compare_all(
    files: list[Screened], heard: dict[Path, Embedded], permission: Permission
) -> tuple[list[Screened], Permission]:
    """Every file, and all of them together, held against the record's voice print.

    Raises:
        SubjectMismatch: somebody else speaks in one of them, or nobody can tell of all.
    """
    reference, left = permission.references.voice, []
    for one in files:
        if one.path in heard:
            found = compare_voice(heard[one.path].mean, reference, one.path.name)
            permission.compare(found)
            if found.verdict != "match":
                one = one.refuse("voice not sure", found.describe().removeprefix(f"{one.path.name}: "))
                del heard[one.path]
        left.append(one)
    if not heard:
        worst = next(part for one in left for part in one.dropped if part.reason == "voice not sure")
        raise SubjectMismatch(
            f"It cannot be told whether the samples are of {permission.record.name}. "
            f"{worst.file}: {worst.detail}",
            "Use clearer recordings, or ask for a record whose --voice was made with the same microphone "
            "(add_references in Python).",
        )
    return left, permission.compare(compare_voice(_mean(heard), reference, "the samples"), must_match=True)


def _check_enough(files: list[Screened]) -> None:
    kept_s = sum(one.kept_s for one in files)
    if kept_s >= LEAST_S:
        return
    lost: dict[Reason, float] = {}
    for one in files:
        for part in one.dropped:
            lost[part.reason] = lost.get(part.reason, 0.0) + part.length_s
    why = ", ".join(f"{reason} ({length_s:.0f} s)" for reason, length_s in lost.items())
    raise NoSpeech(
        f"The samples hold {kept_s:.0f} s of speech that can be used; {LEAST_S:.0f} s are needed."
        + (f" Left out: {why}." if why else ""),
        "Record more: a quiet room, a near microphone, no music, not too loud.",
    )


def _voice(
    name: str, permission: Permission, heard: dict[Path, Embedded], files: list[Screened], learnt: Learnt
) -> Voice:
    recordings = tuple(
        Recording(tidy_name(one.path.name, _NAME_LETTERS), one.sha256, round(one.kept_s, 3))
        for one in files
        if one.stretches
    )
    used_s = sum(one.used_s for one in recordings)
    card = {
        "what": "the voice of one person, for `likeness voice convert` and `say`",
        "made_with": f"likeness {version('likeness')}",
        "engine": f"{learnt.engine} {learnt.version}",
        "speech_s": round(used_s, 1),
        "language": "English: the model that hears what is said knows no other",
        "use": "only what the consent record inside allows; every output says that it is synthetic",
        "keep": "it holds the person's speech: guard it as you would their recordings",
    }
    return Voice(tidy_name(name, _NAME_LETTERS), permission, _mean(heard), learnt, recordings, card)


def _mean(heard: dict[Path, Embedded]) -> Floats:
    mean = np.concatenate([one.vectors for one in heard.values()]).mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)

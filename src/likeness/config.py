"""What can be chosen for each task: frozen, checked when made, unknown keys refused."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from likeness.errors import RightsMissing, UsageError
from likeness.types import Label, LabelLanguage, Rights

Region: TypeAlias = Literal["all", "expression", "pose", "lips", "eyes"]
Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionConfig:
    """How the driver's motion is carried to the source.

    Attributes:
        relative: add the driver's change since its best frame to the source's own pose (True), or take
            over the driver's pose and expression as they are (False).
        adapt_scale: let motion be as large in the source's face as it is in the driver's, for their sizes.
        best_frame: the driver frame that the source's own picture stands for: "auto" (the most alike),
            "first", or a frame number from 0.
        region: the part of the motion to carry over.
        strength: how much of the expression, 1 = as the driver does it (0…2).
        pose_strength: how much of the head's movement (0…2); None = as `strength`.
        smooth: 0 = as tracked, 1 = very calm (One-Euro filter; eyelids and gaze are never smoothed).
    """

    relative: bool = True
    adapt_scale: bool = True
    best_frame: Literal["auto", "first"] | int = "auto"
    region: Region = "all"
    strength: float = 1.0
    pose_strength: float | None = None
    smooth: float = 0.0

    def __post_init__(self) -> None:
        _between("strength", self.strength, 0, 2)
        _between("smooth", self.smooth, 0, 1)
        if self.pose_strength is not None:
            _between("pose strength", self.pose_strength, 0, 2)
        _one_of("region", self.region, get_args(Region))
        if isinstance(self.best_frame, int):
            _between("best frame", self.best_frame, 0, 10**9)
        else:
            _one_of("best frame", self.best_frame, ("auto", "first"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimateConfig(MotionConfig):
    """All choices of `likeness.animate`.

    Attributes:
        max_side: the photo is used at its own size, but no larger than this (px).
        crop: render a head-and-shoulders square instead of the full photo.
        size: side of that square, px.
        audio: "driving", "none", or a sound file.
        start_s, end_s: the part of the driver to use, in seconds.
        source_face, driving_face: which face, as numbered by `likeness faces` (from 1); None = the largest.
        label, rights: the visible label may be left out only with a statement of rights, or a `consent` that
            allows it.
        consent: the file of a consent record (`likeness.consent`) of the person in the picture, path or text;
            checked first of all.
        label_language: of the label's text, a key of `disclosure.label.TEXTS`.
        tsa_url: http(s) address of a time stamp authority (RFC 3161), which learns a hash and nothing else.
        overwrite: replace an output that exists.
        offline: fetch nothing.
        device: for engines that use torch.
        checkpoint, checkpoint_config: published weights and the file that describes them, for engines that
            take any (`fomm`).
        whole_frame: these weights were trained on whole pictures (bodies, clothes, drawings), not on faces.
    """

    max_side: int = 1280
    crop: bool = False
    size: int = 512
    audio: Literal["driving", "none"] | Path = "driving"
    start_s: Fraction | None = None
    end_s: Fraction | None = None
    source_face: int | None = None
    driving_face: int | None = None
    label: Label = "auto"
    rights: Rights | None = None
    consent: Path | None = None
    label_language: LabelLanguage = "en"
    tsa_url: str | None = None
    overwrite: bool = False
    offline: bool = False
    device: Device = "auto"
    checkpoint: Path | None = None
    checkpoint_config: Path | None = None
    whole_frame: bool = False

    def __post_init__(self) -> None:
        # `super()` without arguments does not work in a dataclass with slots.
        MotionConfig.__post_init__(self)
        _between("max side", self.max_side, 128, 8192)
        _between("size", self.size, 128, 4096)
        if not isinstance(self.audio, Path) and self.audio not in ("driving", "none"):
            raise UsageError(
                f'"{self.audio}" is not a choice for audio.',
                "Choose driving, none, or a file as pathlib.Path.",
            )
        _one_of("label", self.label, get_args(Label))
        _one_of("label language", self.label_language, get_args(LabelLanguage))
        _one_of("device", self.device, get_args(Device))
        _check_part(self.start_s, self.end_s)
        if self.rights is not None and not isinstance(self.rights, Rights):
            raise UsageError("The rights are not a statement.", 'Give Rights("self", "why you may").')
        for name, number in (("source face", self.source_face), ("driving face", self.driving_face)):
            if number is not None:
                _between(name, number, 1, 1000)
        _check_time_stamp(self.tsa_url, self.offline)
        if isinstance(self.consent, str | os.PathLike):
            object.__setattr__(self, "consent", Path(self.consent))
        elif self.consent is not None:
            raise UsageError("The consent is not a file.", "Give the path of the record.")
        if self.label == "none" and self.rights is None and self.consent is None:
            raise RightsMissing(
                "Leaving out the visible label needs a statement of rights, or a consent that allows it.",
                'Add --rights public-domain|synthetic|self|licensed --note "why you may" '
                '(rights=Rights("self", "why you may") in Python), or --consent FILE (consent="FILE").',
            )


Colour: TypeAlias = Literal["auto", "lab", "light", "histogram", "seamless", "none"]
MaskOf: TypeAlias = Literal["model", "face", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PasteConfig:
    """What `likeness.swap.convert` and `likeness.swap.quick` have in common.

    Attributes:
        colour: how the new face gets the colours of the scene; see `engines.swap.colour`. "auto" is "light"
            for pictures of B that are bent, and "lab" for what a decoder makes of A's picture.
        mask_erode: how far the edge of the mask moves inwards, in sides of the face's square (-0.1…0.2).
        mask_blur: how wide its soft edge is, in sides of the square (0…0.25).
        sharpen: 0 = as it is, 1 = strongly.
        face_scale: how much larger than tracked the new face is put in (0.8…1.2).
        shape: where pictures of B are bent: how far the face takes on B's shape, too (0…1); 0 = only what it
            is painted with is B's.
        occlusion: leave what is seen in front of the face.
        face: which face of the clip, as numbered by `likeness faces` (from 1); None = the largest, or the one
            that the model knows.
        audio: "keep" the clip's sound, or "none".
        start_s, end_s: the part of the clip to use, in seconds.
        label: the visible label; it may be left out with a statement of rights, or a consent that allows it.
        rights, label_language, tsa_url, overwrite, offline: as in `AnimateConfig`.
    """

    colour: Colour = "auto"
    mask_erode: float = 0.02
    mask_blur: float = 0.08
    sharpen: float = 0.0
    face_scale: float = 1.0
    shape: float = 0.6
    occlusion: bool = True
    face: int | None = None
    audio: Literal["keep", "none"] = "keep"
    start_s: Fraction | None = None
    end_s: Fraction | None = None
    label: Label = "auto"
    rights: Rights | None = None
    label_language: LabelLanguage = "en"
    tsa_url: str | None = None
    overwrite: bool = False
    offline: bool = False

    def __post_init__(self) -> None:
        _one_of("colour", self.colour, get_args(Colour))
        _between("mask erode", self.mask_erode, -0.1, 0.2)
        _between("mask blur", self.mask_blur, 0, 0.25)
        _between("sharpen", self.sharpen, 0, 1)
        _between("face scale", self.face_scale, 0.8, 1.2)
        _between("shape", self.shape, 0, 1)
        if self.face is not None:
            _between("face", self.face, 1, 1000)
        _one_of("audio", self.audio, ("keep", "none"))
        _check_part(self.start_s, self.end_s)
        _one_of("label", self.label, get_args(Label))
        _one_of("label language", self.label_language, get_args(LabelLanguage))
        if self.rights is not None and not isinstance(self.rights, Rights):
            raise UsageError("The rights are not a statement.", 'Give Rights("self", "why you may").')
        _check_time_stamp(self.tsa_url, self.offline)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickSwapConfig(PasteConfig):
    """All choices of `likeness.swap.quick`: those of `PasteConfig`, and

    Attributes:
        looks: how many pictures of the face to show are kept, at most (1…200).
    """

    looks: int = 48

    def __post_init__(self) -> None:
        PasteConfig.__post_init__(self)
        _between("looks", self.looks, 1, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapConfig(PasteConfig):
    """All choices of `likeness.swap.convert`: those of `PasteConfig`, and

    Attributes:
        to: whose face is shown, "B" or "A"; each needs a consent record of that person in the model.
        mask: which part of the square is replaced: what the "model" says is face, the outline of the "face"
            that was tracked, or what "both" agree on.
        alignments: an alignments file of this clip, as `likeness swap extract` makes it, to be used in place
            of the tracker; frames that it does not list pass through.
    """

    to: Literal["A", "B"] = "B"
    mask: MaskOf = "both"
    alignments: Path | None = None

    def __post_init__(self) -> None:
        PasteConfig.__post_init__(self)
        _one_of("to", self.to, ("A", "B"))
        _one_of("mask", self.mask, get_args(MaskOf))
        if isinstance(self.alignments, str | os.PathLike):
            object.__setattr__(self, "alignments", Path(self.alignments))
        elif self.alignments is not None:
            raise UsageError("The alignments are not a file.", "Give the path of alignments.json.")


Music: TypeAlias = Literal["none", "keep", "drop"]
PitchMethod: TypeAlias = Literal["swift", "crepe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceConfig:
    """All choices of `likeness.voice.convert` and `likeness.voice.say`.

    Attributes:
        likeness: 0 = clear, 1 = close to the person's own sounds; None = as the engine does best.
        transpose: "auto", or by how many semitones the pitch is moved besides (-36…36).
        sing: the pitch is kept exactly, but for `transpose`; "auto" then moves it by whole octaves.
        f0: what follows the pitch; our own engine knows "swift" only.
        keep_loudness: some of how loud and soft the source is stays (True), or none of it (False).
        protect: how much of the source's own breaths and consonants is kept (0…0.5); None = the engine's.
        sample_rate_hz: of the output; None = the source's, at least 16000.
        music: what becomes of an accompaniment; only "none" (there is none) is possible here.
        label: the notes before the sound; they may be left out with a statement of rights, or a consent that
            allows it.
        rights, label_language, tsa_url, overwrite, offline: as in `AnimateConfig`.
    """

    likeness: float | None = None
    transpose: Literal["auto"] | float = "auto"
    sing: bool = False
    f0: PitchMethod = "swift"
    keep_loudness: bool = True
    protect: float | None = None
    sample_rate_hz: int | None = None
    music: Music = "none"
    label: Label = "auto"
    rights: Rights | None = None
    label_language: LabelLanguage = "en"
    tsa_url: str | None = None
    overwrite: bool = False
    offline: bool = False

    def __post_init__(self) -> None:
        if self.likeness is not None:
            _between("likeness", self.likeness, 0, 1)
        if self.transpose != "auto":
            _between("transposition", self.transpose, -36, 36)
        _one_of("f0", self.f0, get_args(PitchMethod))
        if self.protect is not None:
            _between("protect", self.protect, 0, 0.5)
        if self.sample_rate_hz is not None:
            _between("sample rate", self.sample_rate_hz, 8000, 192_000)
        _one_of("music", self.music, get_args(Music))
        _one_of("label", self.label, get_args(Label))
        _one_of("label language", self.label_language, get_args(LabelLanguage))
        if self.rights is not None and not isinstance(self.rights, Rights):
            raise UsageError("The rights are not a statement.", 'Give Rights("self", "why you may").')
        _check_time_stamp(self.tsa_url, self.offline)


def from_mapping(values: Mapping[str, Any]) -> AnimateConfig:
    """An `AnimateConfig` from keyword arguments; unknown names are a `UsageError`."""
    known = {field.name for field in dataclasses.fields(AnimateConfig)}
    if unknown := sorted(set(values) - known):
        raise UsageError(
            f"There is no option named {', '.join(unknown)}.", f"Known options: {', '.join(sorted(known))}."
        )
    return AnimateConfig(**values)


def _check_part(start_s: Fraction | None, end_s: Fraction | None) -> None:
    for name, time_s in (("start", start_s), ("end", end_s)):
        if time_s is not None:
            _between(name, time_s, 0, 10**6)
    if end_s is not None and end_s <= (start_s or 0):
        raise UsageError(
            "The end of the chosen part does not come after its start.",
            "Give start and end in seconds, with the start first.",
        )


def _check_time_stamp(url: str | None, offline: bool) -> None:
    if url is None:
        return
    _check_url(url)
    if offline:
        raise UsageError(
            "A time stamp comes from the network, and nothing may be fetched.",
            "Leave out --tsa-url or --offline (tsa_url or offline in Python).",
        )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(
            f"{url[:200]!r} is no address of a time stamp authority.", "Write https://… or http://… ."
        )


def _between(name: str, value: Any, low: float, high: float) -> None:
    if not isinstance(value, (int, float, Fraction)):
        raise UsageError(f"The {name} is {value!r}, which is not a number.", "Give a number.")
    if not low <= value <= high:
        raise UsageError(
            f"The {name} is {float(value):g}, outside {low:g} to {high:g}.", "Choose a value in that range."
        )


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f'"{value}" is not a choice for {name}.', f"Choose one of: {', '.join(choices)}.")

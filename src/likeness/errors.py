"""Every error a person can meet, in one tree.

    LikenessError              carries `hint`, the next step, and `exit_code`, one per branch
    ├ UsageError          2    options that contradict each other, a value out of range
    ├ MediaError          3    MediaNotFound, Unreadable, Unsupported, TooLarge, NoVideo,
    │                        NoFrames, NoAudio, NoSpeech, FaceSetFormat, FaceSetMismatch
    ├ FaceError           4    NoFace, FaceTooSmall, FaceIndex, TooFewFaces
    ├ ConsentError        5    RightsMissing, ConsentMissing, ConsentFormat, ConsentInvalid, ConsentExpired,
    │                        ConsentScope, ConsentRevoked, ConsentKeyError, SubjectMismatch,
    │                        EvidenceRefused
    ├ EngineError         6    UnknownEngine, MissingExtra, TrainingDiverged
    ├ ModelError          7    UnknownModel, ModelMissing, ChecksumMismatch, ModelFormat
    ├ DisclosureError     8    SealFailed, IdentityError
    └ OutputError         9    OutputExists, NotWritable, DiskFull

The command line prints two lines (what happened, what to do) and exits with the code of the branch.
"""

from __future__ import annotations

from typing import ClassVar


class LikenessError(Exception):
    """Base of all errors raised on purpose by this package.

    Args:
        what: one sentence saying what happened, in plain words.
        hint: one sentence saying what to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class UsageError(LikenessError):
    """Options that contradict each other, or a value out of its range."""

    exit_code = 2


class MediaError(LikenessError):
    """A picture, video or sound that cannot be used."""

    exit_code = 3


class MediaNotFound(MediaError):
    """The path does not exist, or is a folder where a file is needed."""


class Unreadable(MediaError):
    """The file is empty, damaged or not what its name says."""


class Unsupported(MediaError):
    """A format that this package does not read or write."""


class TooLarge(MediaError):
    """Refused before decoding, because decoding would take too much memory."""


class NoVideo(MediaError):
    """The file has no video stream."""


class NoFrames(MediaError):
    """The video stream (or the chosen part of it) holds no frame."""


class NoAudio(MediaError):
    """The file has no sound."""


class NoSpeech(MediaError):
    """There is no voice in the sound, or too little of it."""


class FaceSetFormat(MediaError):
    """A face set or its alignments file is damaged, impossible, or of a version that is not known here."""


class FaceSetMismatch(MediaError):
    """An alignments file and a video do not belong together."""


class FaceError(LikenessError):
    """The face that is needed cannot be used."""

    exit_code = 4


class NoFace(FaceError):
    """No face was found."""


class FaceTooSmall(FaceError):
    """The face has too few pixels to be animated or followed."""


class FaceIndex(FaceError):
    """A face was asked for by number, and there is no such face."""


class TooFewFaces(FaceError):
    """A face set is too small to be learned from."""


class ConsentError(LikenessError):
    """A permission that is needed is missing or does not cover what was asked."""

    exit_code = 5


class RightsMissing(ConsentError):
    """Something was asked for that needs a statement of rights."""


class ConsentMissing(ConsentError):
    """What was asked for needs a consent record, and there is none."""


class ConsentFormat(ConsentError):
    """Not a consent record (or revocation): damaged, too large, too deep, or made by a newer version."""


class ConsentInvalid(ConsentError):
    """The signature does not fit: something was altered, another key signed, or nobody did yet."""


class ConsentExpired(ConsentError):
    """The record is valid no more, or not yet; or this computer's clock cannot be right."""


class ConsentScope(ConsentError):
    """The record allows something else than what was asked for."""


class ConsentRevoked(ConsentError):
    """The consent was taken back."""


class ConsentKeyError(ConsentError):
    """A key that signs consent cannot be read, made or used."""


class SubjectMismatch(ConsentError):
    """The face or voice is not that of the person who consented."""


class EvidenceRefused(ConsentError):
    """A recording is not what was asked for: other words, another code, or synthetic sound."""


class EngineError(LikenessError):
    """An engine cannot be found or cannot run."""

    exit_code = 6


class UnknownEngine(EngineError):
    """No engine has this name."""


class MissingExtra(EngineError):
    """A part of the package that is installed separately is missing."""


class TrainingDiverged(EngineError):
    """A loss or a gradient became infinite or not a number, and training stopped."""


class ModelError(LikenessError):
    """A model file is missing, damaged or not what it should be."""

    exit_code = 7


class UnknownModel(ModelError):
    """No model in the manifest has this name."""


class ModelMissing(ModelError):
    """The model is not in the cache and could not be, or may not be, fetched."""


class ChecksumMismatch(ModelError):
    """The file's SHA-256 is not the one in the manifest."""


class ModelFormat(ModelError):
    """A model or `.motion` file is damaged, or of a version this package does not know."""


class DisclosureError(LikenessError):
    """The output could not be marked as synthetic, so nothing was written."""

    exit_code = 8


class SealFailed(DisclosureError):
    """A layer of the seal (label, watermark, credentials) failed."""


class IdentityError(DisclosureError):
    """A signing identity or a certificate cannot be read, made, used or trusted."""


class OutputError(LikenessError):
    """The output cannot be written."""

    exit_code = 9


class OutputExists(OutputError):
    """The output is already there and `overwrite` was not asked for."""


class NotWritable(OutputError):
    """The output's folder does not exist or may not be written to."""


class DiskFull(OutputError):
    """The disk has no room left for the output."""

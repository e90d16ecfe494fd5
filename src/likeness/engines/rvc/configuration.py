"""The dimensions inside a voice model: eighteen values without names, of which most matter here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from likeness.engines.checkpoints import show
from likeness.errors import ModelFormat
from likeness.nn.rvc_config import RvcConfig

FRAMES_PER_S = 100
VERSIONS = {"v1": 256, "v2": 768}
"""How many numbers tell what is said in a frame, by version."""

NAMES = (
    "spectrogram channels", "segment frames", "inter channels", "hidden channels", "filter channels",
    "heads", "layers", "kernel size", "dropout", "kind of residual block", "residual kernels",
    "residual dilations", "upsampling rates", "initial channels", "upsampling kernels", "speakers",
    "speaker channels", "sample rate",
)  # fmt: skip
_LONGEST_LIST = 8
_HINT = "Download the model again; if it says the same again, ask whoever made it."


def parse_configuration(
    values: object, *, version: str, has_pitch: bool, speakers: int, name: str
) -> RvcConfig:
    """The dimensions, each looked at before anything is made of it.

    Args:
        values: as in the checkpoint's "config".
        version: one of `VERSIONS`.
        speakers: rows of the speaker table. What "config" says of them is often that of the base model.
        name: of the file, for errors.

    Raises:
        ModelFormat: a value is missing, makes no sense, or contradicts another.
    """
    read = _Values(values, name)
    kind = read.one("kind of residual block")
    if str(kind) != "1":
        raise read.wrong("kind of residual block", "1")
    config = RvcConfig(
        content_channels=VERSIONS[version],
        has_pitch=has_pitch,
        inter_channels=read.whole("inter channels", least=2),
        hidden_channels=read.whole("hidden channels"),
        filter_channels=read.whole("filter channels", most=16384),
        heads=read.whole("heads", most=64),
        layers=read.whole("layers", most=48),
        kernel_size=read.whole("kernel size", most=31),
        resblock_kernel_sizes=read.wholes("residual kernels", most=63),
        resblock_dilations=read.lists("residual dilations", most=64),
        upsample_rates=read.wholes("upsampling rates", most=64),
        upsample_initial_channels=read.whole("initial channels"),
        upsample_kernel_sizes=read.wholes("upsampling kernels", most=256),
        speakers=speakers,
        speaker_channels=read.whole("speaker channels"),
        sample_rate_hz=read.whole("sample rate", least=8000, most=192_000),
    )
    _check(config, read)
    return config


def _check(config: RvcConfig, read: _Values) -> None:
    """What values must be to each other, so that all parts come out equally long."""
    rates, kernels = config.upsample_rates, config.upsample_kernel_sizes
    if config.inter_channels % 2:
        raise read.wrong("inter channels", "even")
    if config.hidden_channels % config.heads:
        raise read.wrong("heads", "a divisor of the hidden channels")
    if any(kernel % 2 == 0 for kernel in config.resblock_kernel_sizes):
        raise read.wrong("residual kernels", "odd numbers")
    if len(config.resblock_dilations) != len(config.resblock_kernel_sizes):
        raise read.wrong("residual dilations", "as many lists as there are residual kernels")
    if len(kernels) != len(rates) or any(
        kernel < rate or (kernel - rate) % 2 for kernel, rate in zip(kernels, rates, strict=False)
    ):
        raise read.wrong("upsampling kernels", "one for each rate, larger than it by an even number")
    if config.upsample_initial_channels >> len(rates) == 0:
        raise read.wrong("initial channels", f"at least {1 << len(rates)}, to be halved {len(rates)} times")
    if config.samples_per_frame * FRAMES_PER_S != config.sample_rate_hz:
        raise read.wrong("sample rate", f"{FRAMES_PER_S} times the product of the upsampling rates")
    if config.has_pitch and len(rates) > 1 and rates[-1] % 2:
        raise read.wrong("upsampling rates", "even at the end")  # or the excitation comes out shorter


class _Values:
    """The list, by name, which says what is wrong in it."""

    def __init__(self, values: object, name: str) -> None:
        self._name = name
        if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != len(NAMES):
            found = f"{len(values)} values" if isinstance(values, list | tuple) else type(values).__name__
            raise ModelFormat(
                f"“config” in {name} should be a list of {len(NAMES)} values, and is {found}.", _HINT
            )
        self._values = dict(zip(NAMES, values, strict=True))

    def one(self, what: str) -> object:
        return self._values[what]

    def whole(self, what: str, *, least: int = 1, most: int = 4096) -> int:
        value = self._values[what]
        if not _is_whole(value, least, most):
            raise self.wrong(what, f"a whole number from {least} to {most}")
        return value

    def wholes(self, what: str, *, most: int) -> tuple[int, ...]:
        return self._as_wholes(self._values[what], what, most)

    def lists(self, what: str, *, most: int) -> tuple[tuple[int, ...], ...]:
        values = self._values[what]
        if not isinstance(values, list | tuple) or not 1 <= len(values) <= _LONGEST_LIST:
            raise self.wrong(what, f"a list of one to {_LONGEST_LIST} lists")
        return tuple(self._as_wholes(value, what, most) for value in values)

    def _as_wholes(self, values: object, what: str, most: int) -> tuple[int, ...]:
        if (
            not isinstance(values, list | tuple)
            or not 1 <= len(values) <= _LONGEST_LIST
            or not all(_is_whole(value, 1, most) for value in values)
        ):
            raise self.wrong(what, f"one to {_LONGEST_LIST} whole numbers from 1 to {most}")
        return tuple(values)

    def wrong(self, what: str, wanted: str) -> ModelFormat:
        told = show(self._values[what])
        return ModelFormat(f"The {what} in “config” of {self._name}: {told}; it should be {wanted}.", _HINT)


def _is_whole(value: object, least: int, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

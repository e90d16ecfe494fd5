"""One source picture, moved by one driver frame after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from likeness.engines.fomm.checkpoint import Pair
from likeness.engines.fomm.transfer import transfer
from likeness.errors import UsageError
from likeness.nn.fomm import FommConfig, Keypoints
from likeness.nn.quick import quicken_detector, quicken_generator
from likeness.types import Floats, Picture

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


class Settings(NamedTuple):
    """How the driver's points become the source's; see `transfer`."""

    relative: bool = True
    adapt_scale: bool = True


class Animator:
    """A source, prepared: what does not change from frame to frame is computed here.

    Args:
        pair: stays as it is; faster copies of its networks, with the same weights, do the work.
        source: (h, w, 3), float32 0 … 1 or uint8 0 … 255, RGB.

    Raises:
        UsageError: it is no such picture, or of a size that the model cannot halve often enough.
    """

    def __init__(self, pair: Pair, source: Floats | Picture, settings: Settings) -> None:
        image = as_tensor(source)
        height, width = image.shape[-2:]
        check_size(pair.generator.config, height, width)
        self._settings, self._size = settings, (height, width)
        self._generator = quicken_generator(pair.generator, max(height, width))
        self._detector = quicken_detector(pair.kp_detector, max(height, width))
        with torch.inference_mode():
            self._features = _last(self._generator.encode(image))
            self._small = self._generator.dense_motion_network.shrink(image)
            self._points = self._detector(_last(image))
        self._initial: Keypoints | None = None

    def begin(self, frame: Floats | Picture) -> None:
        """The driver frame that the source's own picture stands for."""
        self._initial = self._find(frame)

    def render(self, frame: Floats | Picture) -> Floats:
        """The source, moved as the driver is in `frame`: (h, w, 3) float32 RGB, 0 … 1. It is not sealed."""
        driving = self._find(frame)
        if self._initial is None:
            self._initial = driving
        with torch.inference_mode():
            target = transfer(
                self._points,
                driving,
                self._initial,
                relative=self._settings.relative,
                adapt_scale=self._settings.adapt_scale,
            )
            motion = self._generator.dense_motion_network(self._small, self._points, target)
            out = self._generator.decode(self._features, motion)
        return np.ascontiguousarray(out[0].permute(1, 2, 0).numpy())

    def _find(self, frame: Floats | Picture) -> Keypoints:
        image = as_tensor(frame)
        if image.shape[-2:] != self._size:
            height, width = image.shape[-2:]
            raise UsageError(
                f"A driver frame is {width}×{height} px, and the source {self._size[1]}×{self._size[0]}.",
                "Bring both to the same size first.",
            )
        with torch.inference_mode():
            points: Keypoints = self._detector(_last(image))
        return points


def render_all(animator: Animator, driving: Iterable[Floats | Picture]) -> list[Floats]:
    """All frames of a driver, of which the first is what the source's own picture stands for."""
    frames = iter(driving)
    first = next(frames, None)
    if first is None:
        return []
    animator.begin(first)
    return list(render_ahead(animator.render, chain([first], frames)))


def render_ahead(render: Callable[[_Given], _Made], frames: Iterable[_Given]) -> Generator[_Made]:
    """What `render` makes of each frame, in their order, and no more than a few in advance.

    As many frames at once as torch has threads, each frame on one: a frame's own work divides less well.
    Until the end, or until it is closed, torch computes on one thread.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        yield from map(render, frames)
        return
    waiting: deque[Future[_Made]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="likeness-fomm")
    try:
        torch.set_num_threads(1)  # threads that begin now take this over
        for frame in frames:
            waiting.append(pool.submit(render, frame))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def check_size(config: FommConfig, height: int, width: int) -> None:
    """Refuse a size that does not come out even in all halvings.

    Raises:
        UsageError
    """
    step = max(
        2**config.num_down_blocks,
        round(2**config.motion.num_blocks / config.motion_scale),
        round(2**config.keypoints.num_blocks / config.keypoint_scale),
    )
    if height % step or width % step or min(height, width) < step:
        raise UsageError(
            f"A picture of {width}×{height} px does not fit this model.",
            f"Both sides must be multiples of {step} px; the published models take 256×256.",
        )


def check_picture(image: Floats | Picture) -> Floats:
    """(h, w, 3) as float32, 0 … 1.

    Raises:
        UsageError: it is no such array.
    """
    array = np.asarray(image)
    if array.ndim != 3 or array.shape[2] != 3 or not array.size or array.dtype.kind not in "fu":
        raise UsageError(
            f"An array of shape {array.shape} and type {array.dtype} is no picture.",
            "Give (height, width, 3), float 0 to 1 or uint8 0 to 255, RGB.",
        )
    scaled: Floats = array.astype(np.float32)
    if array.dtype == np.uint8:
        scaled /= 255
    if not (scaled.min() >= -1e-3 and scaled.max() <= 1 + 1e-3):
        raise UsageError(
            f"The picture's numbers reach from {scaled.min():g} to {scaled.max():g}.",
            "Divide them by 255, or give uint8.",
        )
    return scaled


def as_tensor(image: Floats | Picture) -> Tensor:
    """(h, w, 3) as (1, 3, h, w) float32, 0 … 1. Errors as in `check_picture`."""
    return torch.from_numpy(np.ascontiguousarray(check_picture(image))).permute(2, 0, 1)[None]


def _last(image: Tensor) -> Tensor:
    return image.contiguous(memory_format=torch.channels_last)

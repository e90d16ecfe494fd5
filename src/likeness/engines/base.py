"""What an engine is: it takes a source apart once, then renders it for one driver frame after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from likeness.config import AnimateConfig
from likeness.motion.calibrate import Calibration
from likeness.motion.frame import MotionFrame, Need
from likeness.types import Face, Floats, ModelRef, Picture


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The picture to animate.

    Attributes:
        image: (h, w, 3) uint8 RGB.
        face: the face in it to animate, in its pixels.
        alpha: (h, w) float32, 0…1, where the person is, if the picture itself says so.
    """

    image: Picture
    face: Face
    alpha: Floats | None = None


class Performer(Protocol):
    """A prepared source. Frames come in order; an instance is used by one thread at a time.

    One that makes several frames at once may have `render_all(motions)` too: a generator of what `render`
    gives for each, in their order, which is closed when no more are wanted.
    """

    def begin(self, calibration: Calibration) -> None:
        """What is known of the driver, once, before the first frame. Quick: everybody waits for it."""
        ...

    def render(self, motion: MotionFrame) -> Picture:
        """The source doing what `motion` says: (h, w, 3) uint8 RGB, the size of the source picture.

        The array is the caller's to keep. It is not sealed; see `likeness.disclosure`.
        """
        ...

    def warnings(self) -> tuple[str, ...]:
        """What a person should know of the result so far, in plain words."""
        ...


class Engine(Protocol):
    """A way to animate. Engines hold no state between sources, and no globals.

    The class is called without arguments, unless it has the class method `open(model, config)`: an engine
    that runs many models makes itself there. `model` is what follows a colon in the engine's name, or "".
    One whose model knows no faces has `whole_frame` True; see `pipelines.animate_whole.WholeEngine`.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    needs: ClassVar[frozenset[Need]]

    def prepare(self, source: Source, config: AnimateConfig) -> Performer:
        """Take the source apart once; everything slow happens here, while the driver is being tracked.

        This runs in a thread of its own, so that compilers and drivers cannot swallow a Ctrl-C.
        """
        ...

    def models(self) -> tuple[ModelRef, ...]:
        """The models that take part, for the credentials."""
        ...

"""From a driver's pictures to its motion, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from likeness.errors import FaceIndex, FaceTooSmall, NoFace
from likeness.faces import FaceTracker
from likeness.faces.topology import canonical_mesh
from likeness.motion.appearance import Unwrapper, deepen_mouth, skin_colour
from likeness.motion.frame import MotionFrame, Need, interpolate
from likeness.types import Face, Frame, Picture

SMALLEST_FACE_PX = 48
EASE_FRAMES = 12
"""A gap is eased over at most so many frames; before that the last face is held."""


class Recorder:
    """Follows one face through a driver.

    Args:
        needs: what to keep beside the points.
        face: which face, as numbered by `likeness faces` in the first frame that has so many;
            None = the largest.
        threads: CPU threads for the tracker.

    Attributes:
        held: how many frames did not show the face.
    """

    def __init__(self, *, needs: frozenset[Need], face: int | None = None, threads: int = 2) -> None:
        self._needs = needs
        self._number = face or 1
        self._tracker = FaceTracker(faces=max(self._number, 1), threads=threads)
        self._unwrapper = Unwrapper(canonical_mesh()) if "appearance" in needs else None
        self._id: int | None = None
        self.held = 0

    def record(self, frames: Iterable[Frame]) -> Iterator[MotionFrame]:
        """One `MotionFrame` for each frame; where the face is lost, the last one is held and then eased.

        Raises:
            NoFace: no frame shows a face.
            FaceIndex: no frame shows as many faces as asked for.
            FaceTooSmall: the face is smaller than 48 px where it is first seen.
        """
        last: MotionFrame | None = None
        waiting = most = 0
        for frame in frames:
            faces = self._tracker.track(frame.image)
            most = max(most, len(faces))
            face = self._choose(faces)
            if face is None:
                self.held += 1
                waiting += 1
                if last is not None and waiting > EASE_FRAMES:
                    waiting -= 1
                    yield _hold(last)
                continue
            now = self._read(frame.image, face)
            if last is None:
                yield from (_hold(now) for _ in range(waiting))
            else:
                yield from interpolate(last, now, waiting)
            waiting = 0
            last = now
            yield now
        if last is None:
            raise self._nobody(most)
        yield from (_hold(last) for _ in range(waiting))

    def _choose(self, faces: tuple[Face, ...]) -> Face | None:
        if self._id is not None:
            known = next((face for face in faces if face.id == self._id), None)
            return known or self._replacement(faces)
        if len(faces) < self._number:
            return None
        face = faces[self._number - 1]
        if face.size_px < SMALLEST_FACE_PX:
            raise FaceTooSmall(
                f"The driver's face is {face.size_px:.0f} px large; at least {SMALLEST_FACE_PX} are needed.",
                "Use a video in which the face is larger, or crop it.",
            )
        self._id = face.id
        return face

    def _replacement(self, faces: tuple[Face, ...]) -> Face | None:
        """With one face to follow, whoever is found again after a loss is that face."""
        if self._number == 1 and len(faces) == 1:
            self._id = faces[0].id
            return faces[0]
        return None

    def _nobody(self, most: int) -> NoFace | FaceIndex:
        if most:
            return FaceIndex(
                f"The driver never shows {self._number} faces at once, only {most}.",
                "`likeness faces FILE` (list_faces in Python) lists the faces with their numbers.",
            )
        return NoFace(
            "No face was found in the driver.",
            "Use a video that shows a face from the front, large enough and well lit.",
        )

    def _read(self, image: Picture, face: Face) -> MotionFrame:
        points, unwrapper = face.points, self._unwrapper
        return MotionFrame(
            points=points,
            blendshapes=face.blendshapes,
            shading=unwrapper.shading(image, points) if unwrapper else None,
            mouth=deepen_mouth(unwrapper.mouth(image, points), points) if unwrapper else None,
            skin=skin_colour(image, points) if unwrapper else None,
            image=image if "image" in self._needs else None,
        )


def _hold(frame: MotionFrame) -> MotionFrame:
    return MotionFrame(
        frame.points, frame.blendshapes, frame.shading, frame.mouth, frame.skin, held=True, image=frame.image
    )

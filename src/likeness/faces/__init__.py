"""Faces: found, followed, measured.

find_faces(picture)                  the faces in one picture, the largest first
FaceTracker(faces=1).track(frame)    the same faces from frame to frame
canonical_mesh(), head_pose(...)     which point is what, and how the head is turned
"""

from likeness.faces.find import find_faces
from likeness.faces.landmarks import BLENDSHAPES
from likeness.faces.track import FaceTracker

__all__ = ["BLENDSHAPES", "FaceTracker", "find_faces"]

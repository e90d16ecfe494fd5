"""Faces: found, followed, measured.

find_faces(picture)                          the faces in one picture, the largest first
FaceTracker(faces=1).track(frame)            the same faces from frame to frame
topology.canonical_mesh()                    the mesh that the points belong to, and names for the points
pose.head_pose(points, mesh)                 how the head is turned; lids, lips, gaze
align.Crop.around(points, size_px)           cut out head and shoulders
aligned.Alignment.of(points, mesh)           the square of the face alone, that turns with it
segment.person_mask(picture)                 person or background
"""

from likeness.faces.find import find_faces
from likeness.faces.landmarks import BLENDSHAPES
from likeness.faces.track import FaceTracker

__all__ = ["BLENDSHAPES", "FaceTracker", "find_faces"]

"""Faces: found, followed, measured."""

from likeness.faces.landmarks import BLENDSHAPES
from likeness.faces.track import FaceTracker, find_faces

__all__ = ["BLENDSHAPES", "FaceTracker", "find_faces"]

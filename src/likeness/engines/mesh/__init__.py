"""The 2.5D mesh engine."""

from likeness.engines.mesh.engine import MeshEngine

__all__ = ["MeshEngine"]

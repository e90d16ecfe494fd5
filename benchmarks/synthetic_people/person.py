"""Who somebody is: shape, skin, hair and eyes, all drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthetic_people.anatomy import Anatomy, Floats

PEOPLES = ("african", "asian", "caucasian")
VARIED = ("head", "forehead", "eyes", "nose", "mouth", "chin", "cheek", "eyebrows", "ears")
SHARE_VARIED = 0.45
"""Of the targets of these folders, how many make a person."""

SKIN = {
    "african": np.array([0.17, 0.085, 0.05]),
    "asian": np.array([0.58, 0.38, 0.26]),
    "caucasian": np.array([0.66, 0.41, 0.31]),
}
"""Linear red, green and blue."""

HAIR = ([0.012, 0.010, 0.009], [0.05, 0.026, 0.014], [0.14, 0.075, 0.035], [0.45, 0.28, 0.12],
        [0.22, 0.07, 0.025], [0.42, 0.41, 0.40])  # fmt: skip
IRISES = (
    [0.05, 0.025, 0.012],
    [0.12, 0.06, 0.02],
    [0.09, 0.17, 0.27],
    [0.10, 0.16, 0.07],
    [0.20, 0.22, 0.22],
)


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """What `skin` and `head` make a person of. Colours are linear red, green, blue.

    Attributes:
        targets: how much of each target of MakeHuman's.
        old: 0…1.
        redness, freckles, mottling, stubble: 0…1.
        brow_height, brow_thickness, brow_length, brow_tilt: of the eyebrows, dm; the tilt is of their tail.
        hairline: how high it begins, dm.
        hair_thickness: dm.
    """

    seed: int
    targets: dict[str, float]
    old: float
    skin: Floats
    lips: Floats
    hair: Floats
    brows: Floats
    iris: Floats
    redness: float
    freckles: float
    mottling: float
    stubble: float
    brow_height: float
    brow_thickness: float
    brow_length: float
    brow_tilt: float
    hairline: float
    hair_thickness: float

    @classmethod
    def draw(cls, seed: int, anatomy: Anatomy) -> Traits:
        """Of the person with this number."""
        chance = np.random.default_rng(seed)
        is_woman = bool(chance.random() < 0.5)
        ancestry = dict(zip(PEOPLES, chance.dirichlet([0.35] * 3), strict=True))
        old = float(chance.beta(1.0, 1.8))
        targets = _macro_targets("female" if is_woman else "male", ancestry, old)
        targets |= _local_targets(anatomy, chance)
        skin = sum(share * SKIN[name] for name, share in ancestry.items()) * chance.uniform(0.75, 1.1)
        skin = skin * (1 + chance.normal(0, 0.04, 3))
        is_dark = ancestry["african"] > 0.4 or ancestry["asian"] > 0.5
        hair = np.array(HAIR[chance.integers(2) if is_dark else chance.integers(1, 5)])
        hair = hair * (1 - old**3) + np.array(HAIR[-1]) * old**3
        iris = np.array(IRISES[0] if is_dark else IRISES[chance.integers(1, len(IRISES))])
        rosy = np.array([0.95, 0.55, 0.55]) if is_woman else np.array([0.88, 0.68, 0.66])
        fair = float(np.clip((skin.mean() - 0.2) / 0.25, 0, 1))
        return cls(
            seed=seed,
            targets=targets,
            old=old,
            skin=skin.astype(np.float32),
            lips=(skin * rosy * chance.uniform(0.7, 1.0)).astype(np.float32),
            hair=(hair * chance.uniform(0.7, 1.3)).astype(np.float32),
            brows=(hair * chance.uniform(0.35, 0.8)).astype(np.float32),
            iris=iris.astype(np.float32),
            redness=float(chance.random()) * fair,
            freckles=float(chance.random() ** 2) * fair,
            mottling=float(chance.uniform(0.3, 1.0)),
            stubble=0.0 if is_woman else float(chance.random()),
            brow_height=float(chance.normal(0, 0.02)),
            brow_thickness=float(chance.uniform(0.018, 0.03) if is_woman else chance.uniform(0.028, 0.055)),
            brow_length=float(chance.uniform(0.36, 0.46)),
            brow_tilt=float(chance.normal(0, 0.03)),
            hairline=float(chance.normal(8.02, 0.07)) + (0 if is_woman else 0.15 * old),
            hair_thickness=float(chance.uniform(0.04, 0.16)),
        )


def shape(traits: Traits, anatomy: Anatomy) -> Floats:
    """The person's vertices at rest, (n, 3) dm, with the eyes where the average head has them."""
    moved = anatomy.vertices.copy()
    for name, share in traits.targets.items():
        moved += share * anatomy.target(name)
    eyes = anatomy.of_part("eye")
    return np.asarray(moved + (anatomy.vertices[eyes].mean(0) - moved[eyes].mean(0)), np.float32)


def _macro_targets(sex: str, ancestry: dict[str, float], old: float) -> dict[str, float]:
    targets: dict[str, float] = {}
    for age, share in (("young", 1 - old), ("old", old)):
        for people, part in ancestry.items():
            targets[f"macrodetails/{people}-{sex}-{age}"] = share * part
        targets[f"macrodetails/universal-{sex}-{age}-averagemuscle-averageweight"] = share
    return targets


def _local_targets(anatomy: Anatomy, chance: np.random.Generator) -> dict[str, float]:
    """Some of the many targets of parts of the head; the left and the right side share theirs."""
    targets: dict[str, float] = {}
    sides: dict[str, list[str]] = {}
    for name in sorted(anatomy.names):
        folder, _, last = name.partition("/")
        if folder in VARIED and "age" not in last:
            sides.setdefault(folder + last.removeprefix("l-").removeprefix("r-"), []).append(name)
    for names in sides.values():
        is_chosen, strength = chance.random() < SHARE_VARIED, min(abs(float(chance.normal(0, 0.35))), 0.9)
        if is_chosen:
            targets |= dict.fromkeys(names, strength)
    return targets

"""What a model says of itself: what it is, what it learned from and how far, under whose consent."""

from __future__ import annotations

import datetime as dt
from typing import Any

from likeness.engines.swap.model_file import Header, Side
from likeness.training.swap.kinds import Kind
from likeness.training.swap.permit import Permits, middle
from likeness.training.swap.state import Plan, Standing


def header_of(kind: Kind, plan: Plan, permits: Permits, standing: Standing, seconds: float) -> Header:
    """The header of a model's file.

    Args:
        seconds: that were spent on it.
    """
    permissions: dict[Side, Any] = {"B": permits.b}
    if permits.a is not None and "A" in kind.sides:
        permissions["A"] = permits.a
    data: dict[Side, str] = {"A": plan.data_a, "B": plan.data_b}
    card = {
        "what": kind.what(both=permits.a is not None),
        "model": plan.model,
        "parameters": sum(one.numel() for one in kind.learner.net.parameters()),
        "steps": kind.learner.steps,
        "refinement_rounds": standing.rounds,
        "seconds": seconds,
        "faces": {"A": len(permits.faces_a), "B": len(permits.faces_b)},
        "identity": _identities(kind, permits),
        "settings": plan.settings,
        "made": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "limits": kind.limits,
    }
    return Header(plan.model, kind.learner.config, permissions, data, card)


def _identities(kind: Kind, permits: Permits) -> dict[str, list[float]]:
    """The median embedding of each person, by which `convert` knows whose face to replace."""
    faces = {"A": permits.faces_a, "B": permits.faces_b}
    middles = {side: middle(faces[side]) for side in kind.sides}
    return {
        side: [round(float(one), 4) for one in found] for side, found in middles.items() if found is not None
    }

"""Where networks run."""

from __future__ import annotations

import os

import torch

from likeness.errors import UsageError


def choose_device(name: str) -> torch.device:
    """The device of this name: "cpu", "cuda", "mps", or "auto" for a graphics card where there is one.

    Of processes that `torchrun` started, each gets a card of its own.

    Raises:
        UsageError: torch cannot use it here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[name]:
        raise UsageError(f"There is no {name} device that torch can use.", f"Leave out --device {name}.")
    if name != "cuda":
        return torch.device(name)
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def set_threads(count: int | None) -> None:
    """How many processor threads networks may use; None leaves it to torch."""
    if count is not None:
        torch.set_num_threads(count)

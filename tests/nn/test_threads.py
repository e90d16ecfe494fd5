"""A core is left free, and afterwards all is as it was."""

from __future__ import annotations

import os

import pytest
import torch

from likeness.nn.threads import spare_a_core


@pytest.mark.parametrize(
    ("cores", "before", "meanwhile"), [(2, 2, 1), (1, 1, 1), (8, 8, 7), (8, 3, 3), (None, 2, 1)]
)
def test_a_core_is_left_free(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, before: int, meanwhile: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    torch.set_num_threads(before)  # the fixture of this folder puts it back
    with pytest.raises(KeyError), spare_a_core():
        assert torch.get_num_threads() == meanwhile
        raise KeyError
    assert torch.get_num_threads() == before

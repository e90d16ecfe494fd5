"""The notebooks of the documentation, run from their first cell to their last."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("ignore")]  # Jupyter's own warnings are not ours


def test_the_tour(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(repository / "docs" / "tour.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "the repository holds no results"
    work = tmp_path / "work"
    work.mkdir()
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(work)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.data.get("text/html", "") for output in outputs if "data" in output]
    assert sum("<video" in html for html in shown) == 2, "the clip, and the comparison"
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert "A watermark in the picture says that likeness made it (animate)" in printed
    assert outputs[-1].data["text/plain"] == "('untrusted', 'animate', True)"
    assert (work / "hopper.mp4").is_file()

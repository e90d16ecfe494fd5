"""The notebooks of the documentation, run from their first cell to their last."""

from __future__ import annotations

from pathlib import Path

import pytest

import likeness

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


def test_the_whole_story(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`notebooks/animate.ipynb` as it is, and with a checkpoint of the First Order Motion Model."""
    import nbformat
    from nbclient import NotebookClient

    from ..fomm_models import write_files

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    checkpoint, configuration = write_files(tmp_path)
    for name, chosen in (("mesh", None), ("fomm", (checkpoint, configuration))):
        notebook = nbformat.read(repository / "notebooks" / "animate.ipynb", as_version=4)
        assert not any(cell.get("outputs") for cell in notebook.cells), "the repository holds no results"
        if chosen:
            (choice,) = [cell for cell in notebook.cells if cell.source.startswith("CONFIG = None")]
            choice.source = f"CHECKPOINT, CONFIG, WHOLE_FRAME = {str(chosen[0])!r}, {str(chosen[1])!r}, False"
        work = tmp_path / name
        work.mkdir()
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(work)}}).execute()
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        shown = [output.data.get("text/html", "") for output in outputs if "data" in output]
        assert sum("<video" in html for html in shown) == (3 if chosen else 2)
        printed = "".join(output.text for output in outputs if output.output_type == "stream")
        assert f"made by: animate with likeness {name} 1" in printed
        assert str(work / "animated.mp4") in printed
        assert likeness.verify(work / "animated.mp4").state == "valid"


@pytest.mark.timeout(900)
def test_the_face_swap(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`notebooks/swap.ipynb` as it is, with the examples' clips where they lie."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(repository / "notebooks" / "swap.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "the repository holds no results"
    (choice,) = [cell for cell in notebook.cells if cell.source.startswith("A = ")]
    clips = repository / "examples" / "synthetic-people"
    choice.source = f"A, B = {str(clips / 'ben.mp4')!r}, {str(clips / 'anna.mp4')!r}"
    work = tmp_path / "work"
    work.mkdir()
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(work)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.data.get("text/html", "") for output in outputs if "data" in output]
    assert sum("<video" in html for html in shown) == 2, "the time-lapse, and the clip"
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert printed.count("refused: ") == 2
    assert not (work / "runs" / "refused").exists()
    assert "made by: swap with likeness swap 1" in printed
    newest = max((work / "runs" / "slim" / "previews").iterdir())
    for name in ("between.png", "warp.png", "swapped.mp4", newest):
        found = likeness.verify(work / name)
        assert (found.state, found.act) == ("valid", "swap"), name


@pytest.mark.timeout(900)
def test_the_voice(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`notebooks/voice.ipynb` as it is: its voices are synthetic."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(repository / "notebooks" / "voice.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "the repository holds no results"
    work = tmp_path / "work"
    work.mkdir()
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(work)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.data for output in outputs if "data" in output]
    assert sum("<audio" in data.get("text/html", "") for data in shown) == 8
    assert sum("image/png" in data for data in shown) >= 8
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert printed.count("refused: ") == 3
    assert printed.count("  similarity   to the target ") == 2
    assert not (work / "refused.voice").exists()
    for name in ("talk-anna.wav", "song-anna.wav", "said.wav"):
        found = likeness.verify(work / name)
        assert (found.state, found.act) == ("valid", "voice"), name

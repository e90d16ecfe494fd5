"""Who may import whom, held by reading the source (see CONTRIBUTING.md, "How it is laid out")."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import likeness

PACKAGE = Path(likeness.__file__).parent

# From the ground up: a part sees its own tier's parts only where the tier says so, and all tiers below.
TIERS = (
    ("errors", "types", "paths", "progress", "compiled", "private_file"),
    ("config", "registry", "models", "nn"),
    ("media",),
    ("faces", "speech", "disclosure"),
    ("verification", "consent"),
    ("motion", "facesets", "voices"),
    ("engines",),
    ("pipelines", "training"),
    ("__init__", "fomm", "rvc", "swap", "voice"),
    ("demo", "doctor"),
    ("cli",),
    ("__main__",),
)
TIER_OF = {part: number for number, tier in enumerate(TIERS) for part in tier}
# Stricter than their tier.
ONLY = {
    "errors": frozenset[str](),
    "types": frozenset[str](),
    "paths": frozenset[str](),
    "progress": frozenset[str](),
    "compiled": frozenset[str](),
    "disclosure": frozenset({"errors", "types", "paths", "progress", "private_file", "models", "media"}),
    "consent": frozenset(
        {
            "errors",
            "types",
            "paths",
            "progress",
            "private_file",
            "models",
            "media",
            "faces",
            "speech",
            "disclosure",  # of which it may look for the watermark in sound, and no more: see below
        }
    ),
    # Nothing below the pipelines may seal, and nothing but the seal may write.
    "motion": frozenset(TIER_OF) - {"disclosure"},
    "facesets": frozenset(TIER_OF) - {"disclosure"},
    "voices": frozenset(TIER_OF) - {"disclosure"},
    "engines": frozenset(TIER_OF) - {"disclosure"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(name: str) -> str:
    """The part that a dotted name such as "likeness.media.video" belongs to."""
    words = name.split(".")
    return words[1] if len(words) > 1 else "__init__"


def name_of(path: Path) -> str:
    words = ("likeness", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(words[:-1] if words[-1] == "__init__" else words)


def is_module(name: str) -> bool:
    path = PACKAGE.joinpath(*name.split(".")[1:])
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports_of(path: Path) -> Iterator[str]:
    """Every module that the file imports, anywhere in it, as an absolute name."""
    package = name_of(path).split(".")[: None if path.name == "__init__.py" else -1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            origin = ".".join(filter(None, (base, node.module)))
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                yield inner if origin.split(".")[0] == "likeness" and is_module(inner) else origin


def our_imports() -> Iterator[tuple[str, str]]:
    for path in modules():
        for target in imports_of(path):
            if target.split(".")[0] == "likeness":
                yield name_of(path), target


def test_every_part_has_its_place() -> None:
    assert {part_of(name_of(path)) for path in modules()} <= set(TIER_OF)


def test_imports_go_down_only() -> None:
    wrong = []
    for name, target in our_imports():
        part, seen = part_of(name), part_of(target)
        if part == seen:
            continue
        if seen not in ONLY.get(part, TIER_OF) or TIER_OF[seen] > TIER_OF[part]:
            wrong.append(f"{name} imports {target}")
        elif TIER_OF[seen] == TIER_OF[part] and TIER_OF[part] > 1:
            wrong.append(f"{name} imports {target}, which stands beside it")
    assert wrong == []


def test_the_writer_belongs_to_the_seal() -> None:
    """Output without disclosure cannot be expressed: nobody else can reach what writes pictures or videos."""
    users = {part_of(name) for name, target in our_imports() if target.startswith("likeness.media.writer")}
    users -= {"media"}
    assert users == {"disclosure"}


def test_consent_only_looks_for_marks() -> None:
    used = {t for name, t in our_imports() if part_of(name) == "consent" and part_of(t) == "disclosure"}
    assert used == {"likeness.disclosure.watermark.audio_search"}


def test_private_modules_stay_private() -> None:
    """Above all those of `media` that the writer is made of."""
    wrong = [
        f"{name} imports {target}"
        for name, target in our_imports()
        if any(word.startswith("_") for word in target.split(".")) and part_of(name) != part_of(target)
    ]
    assert wrong == []


def test_nobody_writes_pictures_behind_its_back() -> None:
    writers = {"imwrite", "imencode", "VideoWriter", "imwritemulti", "add_stream"}
    found = {
        (name_of(path), node.attr)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in writers and part_of(name_of(path)) != "media"
    }
    # The demo shows what strong compression leaves of the marks; its copies never leave a temporary folder.
    assert found == {("likeness.demo.posted", "add_stream")}


@pytest.mark.parametrize("module", ["pickle", "shelve", "marshal", "dill", "joblib"])
def test_no_untrusted_format_is_read(module: str) -> None:
    users = {name_of(path) for path in modules() for target in imports_of(path) if target == module}
    # They know the error that torch raises, and nothing else of it.
    assert users <= {"likeness.engines.checkpoints", "likeness.training.tensors"}
    assert all(
        [alias.name for alias in node.names] == ["UnpicklingError"]
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == module
    )


def test_checkpoints_are_read_as_weights_only() -> None:
    calls = [
        {keyword.arg: keyword.value for keyword in node.keywords}
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "load"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "torch"
    ]
    assert calls
    for options in calls:
        only = options.get("weights_only")
        assert isinstance(only, ast.Constant)
        assert only.value is True


def test_torch_stays_where_networks_are_made() -> None:
    users = {
        part_of(name_of(path))
        for path in modules()
        for target in imports_of(path)
        if target.split(".")[0] in {"torch", "torchvision", "torchaudio"}
    }
    # An engine is imported when it is chosen; networks themselves are written in `nn`.
    assert users <= {"nn", "training", "engines", "fomm"}
    layers = {
        name_of(path)
        for path in modules()
        for target in imports_of(path)
        if target.startswith("torch.nn") and part_of(name_of(path)) not in {"nn", "training"}
    }
    assert layers == set()


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("likeness", {"numpy", "cv2", "av", "numba", "ai_edge_litert", "c2pa", "cryptography", "PIL"}),
        (
            "likeness.cli.main",
            {"numpy", "cv2", "av", "numba", "ai_edge_litert", "c2pa", "cryptography", "PIL"},
        ),
    ],
)
def test_the_start_is_light(module: str, heavy: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(done.stdout.split())

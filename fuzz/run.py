"""Fuzzes one target with atheris (coverage-guided; Linux).

    python fuzz/run.py TARGET CORPUS/TARGET [-max_total_time=120] [-max_len=20000] …

The options are libFuzzer's. A finding ends the run; the bytes that led to it are written to `crash-…`.
"""

from __future__ import annotations

import sys

import atheris

# What is instrumented has to be imported here first.
with atheris.instrument_imports(include=["likeness", "zipfile", "json", "numpy.lib", "numpy.ma"]):
    from targets import TARGETS


def main() -> None:
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

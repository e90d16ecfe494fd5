"""What stands for a value in the help: PORTRAIT, FILE, N, rather than a type of Python's."""

from __future__ import annotations

from typing import Any

import typer

_BY_TYPE = {"<bool>": "", "<path>": "FILE", "<str>": "TEXT", "<float>": "NUMBER"}


def name_values(command: Any, parent: typer.Context | None = None) -> None:
    """Name the values of all parameters of a command and those below it that have no metavar of their own.

    Arguments are called by their name, options by what they take; flags take nothing.
    """
    context = typer.Context(command, parent=parent, **command.context_settings)
    for parameter in command.get_params(context):
        if parameter.metavar is not None:
            continue
        if parameter.param_type_name == "argument":
            parameter.metavar = parameter.name.upper()
        else:
            kind = parameter.display_type(context)
            parameter.metavar = "N" if kind.startswith("<int") else _BY_TYPE.get(kind, kind.strip("<>"))
    for child in getattr(command, "commands", {}).values():
        name_values(child, context)

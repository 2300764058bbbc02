"""Run the real command and kill it, with all of its processes, at one exact step.

Usage: python killed.py STEP NUMBER before|after|stop ARGUMENT...

A step is a function by its full name; NUMBER says at which of its calls. `any` stands for every
step below. With `stop` the command is stopped before it, as by Ctrl-C, instead of killed. With
NUMBER 0 nothing is killed, and the number of calls of each step is written to standard error as
JSON.
"""

import functools
import json
import os
import pathlib
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from rollcall.cli import commands as cli
from rollcall.cycle import dbt_run, warehouse
from rollcall.landing import archive, raw
from rollcall.ledger import ledger

STEPS = {
    "archive.keep": (archive, "keep"),
    "ledger.put": (ledger, "put"),
    "ledger.note": (ledger, "note"),
    "ledger.next_job": (ledger, "next_job"),
    "raw.store": (raw, "store"),
    "warehouse.start_from_last_good": (warehouse, "start_from_last_good"),
    "builder.build_first": (warehouse.Builder, "build_first"),
    "builder.build_rest": (warehouse.Builder, "build_rest"),
    "dbt_run.node_done": (dbt_run, "_node_done"),
    "warehouse.publish": (warehouse, "publish"),
    "os.fsync": (os, "fsync"),
    "shutil.copyfile": (shutil, "copyfile"),
    "Path.chmod": (pathlib.Path, "chmod"),
    "Path.rename": (pathlib.Path, "rename"),
    "Path.replace": (pathlib.Path, "replace"),
    "Path.unlink": (pathlib.Path, "unlink"),
}
"""What can be killed; `dbt_run.node_done` is called for every node that dbt has built or tested."""


def watch(step: str, number: int, moment: str) -> Counter[str]:
    """Wrap every step; returns how often each was called so far."""
    calls: Counter[str] = Counter()

    def count(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            calls[name] += 1
            is_it = step in (name, "any") and number == (
                calls[name] if step == name else calls.total()
            )
            if is_it and moment == "before":
                os.killpg(0, signal.SIGKILL)
            if is_it and moment == "stop":
                os.kill(os.getpid(), signal.SIGINT)
            result = function(*arguments, **named)
            if is_it and moment == "after":
                os.killpg(0, signal.SIGKILL)
            return result

        return counted

    for name, (owner, attribute) in STEPS.items():
        function = getattr(owner, attribute)
        counted = count(name, function)
        for module in [owner, *sys.modules.values()]:
            if vars(module).get(attribute) is function:
                setattr(module, attribute, counted)
    return calls


if __name__ == "__main__":
    _, step, number, moment, *arguments = sys.argv
    sys.argv[1:] = arguments
    calls = watch(step, int(number), moment)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    try:
        cli.main()
    finally:
        print(json.dumps(calls), file=sys.stderr)

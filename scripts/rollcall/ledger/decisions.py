"""Decisions of people on files: let in what was held, keep it out, or judge a file again.

A decision is a new entry of the ledger; it never changes a verdict by itself, and the next cycle
acts on it. Judging again takes the file from the archive and gives it a new verdict.
"""

import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from rollcall.contracts.project import Contracts
from rollcall.errors import UsageError
from rollcall.home import Home
from rollcall.ledger import ledger
from rollcall.ledger.entries import FROZEN_FILES, IN_FUTURE, find_file
from rollcall.ledger.sql import rows


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """What was decided on which file, and what that does."""

    file_id: str
    file: str
    decision: str
    effect: str


def who() -> str:
    """Name the account that decides; behind sudo, the one that called it."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def decide_hold(
    home: Home, contracts: Contracts, name: str, decision: str, reason: str, at: datetime
) -> DecisionReport:
    """Release or refuse what is held of a file, once.

    What no cycle has used yet can be refused too, though it is not held: a file whose export time
    has not come, or one of a cycle that did not complete, which then goes on without it.

    Args:
        home: the data directory, locked by the caller.
        contracts: the contracts of the project.
        name: the file, by id or name.
        decision: `release` or `refuse`.
        reason: why; it is kept with the decision.
        at: the present, UTC.

    Raises:
        UsageError: the file is not found, holds nothing, or was decided before.
    """
    if not reason.strip():
        raise UsageError("A decision needs a reason; say why with --reason.")
    with home.landing() as connection:
        ledger.prepare(connection, contracts)
        file = find_file(connection, name)
        where = file_path(file)
        is_taken_out = decision == "refuse" and _is_frozen(connection, file)
        waits = is_taken_out or (decision == "refuse" and _is_in_future(connection, file, at))
        if file["verdict"] != "held" and not file["are_removals_held"] and not waits:
            raise UsageError(
                f"Nothing of {where} is held: it is {file['verdict']}."
                + (
                    " A rejected file can be judged again with `rollcall reprocess`."
                    if file["verdict"] == "rejected"
                    else ""
                )
            )
        _refuse_second_decision(connection, file, where, but=("release",) * is_taken_out)
        if is_taken_out and file["are_removals_held"]:
            decision = "withdraw"  # to refuse its removals would leave the file in use
        with ledger.transaction(connection):
            ledger.decide(
                connection,
                job_id=ledger.next_job(connection),
                file_id=file["file_id"],
                decision=decision,
                reason=reason.strip(),
                decided_by=who(),
                at=at,
            )
    return DecisionReport(file["file_id"], where, decision, _effect(file, decision))


def file_path(file: dict[str, Any]) -> str:
    """Name a file as people do: source/delivery/file."""
    return f"{file['source_id']}/{file['delivery_name']}/{file['file_name']}"


def _refuse_second_decision(
    connection: duckdb.DuckDBPyConnection, file: dict[str, Any], where: str, but: Sequence[str]
) -> None:
    last = rows(
        connection,
        "select * from landing.decisions where file_id = ? order by decision_id desc limit 1",
        [file["file_id"]],
    )
    if last and last[0]["decision"] not in ("reprocess", *but):
        done = {
            **{"release": "released", "refuse": "refused"},
            **{"supersede": "replaced", "withdraw": "taken out"},
        }
        raise UsageError(
            f"{where} was already {done[last[0]['decision']]} by {last[0]['decided_by']} "
            f"on {last[0]['decided_at']:%Y-%m-%d %H:%M} UTC."
        )


def _is_in_future(
    connection: duckdb.DuckDBPyConnection, file: dict[str, Any], at: datetime
) -> bool:
    found = rows(connection, IN_FUTURE, [at])
    return any(file["file_id"] in delivery["file_ids"] for delivery in found)


def _is_frozen(connection: duckdb.DuckDBPyConnection, file: dict[str, Any]) -> bool:
    """Say whether a file belongs to a cycle that is to be run again."""
    return (file["file_id"],) in connection.execute(FROZEN_FILES).fetchall()


def _effect(file: dict[str, Any], decision: str) -> str:
    if decision == "withdraw" or file["verdict"] == "held" or not file["are_removals_held"]:
        return (
            "The next cycle takes the file."
            if decision == "release"
            else "The file is never used; the last good data stays in place."
        )
    return (
        "The next cycle removes what the file removes, unless there is a newer bulk."
        if decision == "release"
        else "Nothing is ever removed because of this file."
    )

"""Reconcile: do the marts hold everything that the sources exported, and if not, why not?

The models tagged `reconciliation` compare the newest landed exports with the last good cycle, in a
copy of it; nothing else is built and nothing is changed. What has landed since that cycle is
`pending`: it shows what the next one will bring.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollcall.contracts.project import Contracts
from rollcall.cycle import warehouse
from rollcall.errors import ExitCode
from rollcall.home import Home
from rollcall.ledger.sql import rows

_DIFFERENCES = """
    select 'missing' as kind, * from reconciliation.recon_missing_record
    union all by name
    select case when processed_row_count > 1 then 'duplicate' else 'unexpected' end as kind, *
    from reconciliation.recon_unexpected_record
    union all by name
    select 'diverging' as kind, * from reconciliation.recon_diverging_value
"""
_COMING = f"""
    select source_id, feed,
        count(*) filter (kind = 'missing' and not is_processed_inactive) as added,
        count(distinct record_key) filter (kind = 'diverging') as changed,
        count(*) filter (kind = 'unexpected') as removed,
        count(*) filter (kind = 'missing' and is_processed_inactive) as returning
    from ({_DIFFERENCES}) where reason = 'pending'
    group by source_id, feed order by source_id, feed
"""
_EXPLAINED = f"""
    select reason,
        count(*) filter (kind = 'missing') as missing,
        count(*) filter (kind in ('unexpected', 'duplicate')) as unexpected,
        count(*) filter (kind = 'diverging') as diverging
    from ({_DIFFERENCES}) where reason not in ('pending', 'unexplained')
    group by reason order by reason
"""
_UNEXPLAINED = f"""
    select kind, source_id, feed, record_key, column_name, suspected_layer, file_id, record_number
    from ({_DIFFERENCES}) where not is_explained
    order by source_id, feed, kind, record_key, column_name, file_id, record_number
"""
_COUNTS = f"""
    select
        count(*) filter (kind = 'missing')::integer as missing,
        count(*) filter (kind in ('unexpected', 'duplicate'))::integer as unexpected,
        count(*) filter (kind = 'diverging')::integer as diverging,
        count(*) filter (is_explained and reason <> 'pending')::integer as explained,
        count(*) filter (not is_explained)::integer as unexplained,
        count(*) filter (reason = 'pending')::integer as pending
    from ({_DIFFERENCES})
"""
_UNEQUAL_SUMS = """
    select source_id, feed, column_name from reconciliation.recon_column_sum
    where not is_equal order by source_id, feed, column_name
"""


@dataclass(slots=True)
class Reconciliation:
    """What the newest exports and the processed state do not have in common; counts of differences.

    `coming` is what the next cycle will bring, by feed, before its records are checked; `reasons`
    are the explained differences; `unexplained` is a fault of the warehouse, never of a source.
    """

    cycle_id: int
    cutoff_at: datetime
    missing: int
    unexpected: int
    diverging: int
    explained: int
    unexplained: int
    pending: int
    coming: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    unexplained_differences: list[dict[str, Any]] = field(default_factory=list)
    unequal_sums: list[dict[str, Any]] = field(default_factory=list)

    @property
    def exit_code(self) -> ExitCode:
        """The code a scheduler sees."""
        is_sound = not self.unexplained and not self.unequal_sums
        return ExitCode.DONE if is_sound else ExitCode.NOT_PUBLISHED


def reconcile(
    home: Home, contracts: Contracts, progress: Callable[[int, int, str], None] = lambda *_: None
) -> Reconciliation:
    """Compare the newest landed exports with the last good cycle, without a rebuild.

    Args:
        home: the data directory.
        contracts: whose sources say which families of files are used.
        progress: receives (models run, in all, name of the last one).

    Raises:
        UsageError: no cycle has been published yet.
        BusyError: another process writes in this data directory.
        RollcallError: a model of reconciliation failed.
    """
    with home.lock(), warehouse.compared(home, contracts, progress) as connection:
        (cycle,) = rows(
            connection,
            "select cycle_id, cutoff_at from audit.audit_cycle_log order by cycle_id desc limit 1",
        )
        (counts,) = rows(connection, _COUNTS)
        return Reconciliation(
            **cycle,
            **counts,
            coming=rows(connection, _COMING),
            reasons=rows(connection, _EXPLAINED),
            unexplained_differences=rows(connection, _UNEXPLAINED),
            unequal_sums=rows(connection, _UNEQUAL_SUMS),
        )

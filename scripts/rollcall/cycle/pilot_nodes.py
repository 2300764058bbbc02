"""Which nodes of the project build alone for a pilot, where they build, and what they read of live.

A pilot builds the same project as live tables, with the variable `pilot`. What its files reach is
built in a schema of its own; whatever else it refers to is read where live tables are.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rollcall.cycle.nodes import walk

TABLES = (
    *("fct_evidence", "fct_mastery", "fct_mastery_history"),
    *("fct_assessment_result", "dim_student_id"),
    *("recon_coverage", "recon_file_balance", "recon_column_sum"),
    *("recon_missing_record", "recon_unexpected_record", "recon_diverging_value"),
    *("audit_ingestion_log", "audit_finding", "audit_rejected_record", "audit_record_warning"),
    *("audit_identity_match", "audit_identity_worklist", "recon_contest", "audit_pilot_boundary"),
)
"""What a pilot has besides the marts of its feeds, and all that these are made of."""
WITH_LIVE = (
    *("int_student_inputs", "int_objective_evidence", "int_mastery_scored", "int_mastery_status"),
    *("int_path_enrollments", "int_gate_status"),
)
"""What is built a second time, of the evidence of live sources and the pilot's together."""
EFFECT = ("int_pilot_outcomes", "audit_pilot_effect", "audit_pilot_difference")
"""What is built of both."""
_WITH_LIVE_PREFIX = "with_live__"
_LANDING = ("stg_landing__stages", "stg_landing__files")


def pilot_nodes(
    nodes: Mapping[str, Any],
    child_map: Mapping[str, Sequence[str]],
    families: Collection[str],
    marts: Collection[str],
    live_nodes: Collection[str],
) -> set[str]:
    """Return the models, snapshots and seeds that build alone for a pilot, by their ids.

    These are what its tables are made of, from its files on: what descends from base views of its
    families, or of files and of no base view. What descends from those of other families alone is
    read of live tables; what live tables have not is built, too.

    Args:
        nodes: the nodes of the project as it is parsed for the pilot.
        child_map: the children of each.
        families: the families of files of the pilot.
        marts: the names of the marts of its feeds.
        live_nodes: the ids of the nodes that live tables are made of.
    """
    models = {
        key: node.name
        for key, node in nodes.items()
        if node.resource_type in ("model", "snapshot") and node.config.enabled
    }
    base = {key for key, name in models.items() if name.startswith("base_")}
    own_base = {key for key in base if _is_own(nodes[key], families)}
    landing = {key for key, name in models.items() if name in _LANDING}
    of_files, of_own, of_base = (
        walk(begun, lambda key: child_map.get(key, ()), nodes)
        for begun in (landing, own_base, base)
    )
    wanted = {key for key, name in models.items() if name in {*TABLES, *marts}} & of_files
    wanted = walk(wanted, lambda key: nodes[key].depends_on_nodes, nodes)
    built = {key for key in wanted & of_files if key in of_own or key not in of_base}
    seeds = {key for key, node in nodes.items() if node.resource_type == "seed"}
    missing = {key for key in wanted & (of_files | seeds) if key not in live_nodes}
    return (built | missing) & (models.keys() | seeds)


def _is_own(node: Any, families: Collection[str]) -> bool:
    """Say whether a base view reads files of the pilot; of a district's own feeds all may."""
    family = node.name.removeprefix("base_").partition("__")[0]
    return family in families or node.package_name != "rollcall"


def place(nodes: Mapping[str, Any], built: Collection[str], schema: str) -> None:
    """Have nodes build in a schema, so that whatever refers to them reads them there."""
    for key in built:
        nodes[key].schema = schema
        _name(nodes[key])


def name_with_live(nodes: Mapping[str, Any], built: Collection[str]) -> None:
    """Have nodes build beside those of the same name, for the second time."""
    for key in built:
        nodes[key].alias = _WITH_LIVE_PREFIX + nodes[key].name
        _name(nodes[key])


def _name(node: Any) -> None:
    node.relation_name = f'"{node.database}"."{node.schema}"."{node.alias}"'

"""Which nodes of the dbt project a cycle runs: those that belong to it and that news can reach.

News are files and decisions, of which each concerns a feed, and the time that has passed. Where
code or seeds are new, everything is.
"""

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_LEDGER = "landing"
"""The schema of the ledger's tables, and the folder of the models that stage them."""


def nodes_of_cycle(
    manifest: "Manifest", feeds: Collection[str] | None, *, is_code_new: bool
) -> set[str]:
    """Return the ids of the nodes that a cycle builds or tests.

    What depends on code and not on what came, `dbt build` runs, as selector `nightly` says. The
    last good warehouse has views and what comes of seeds, unless code or seeds are new.

    Args:
        manifest: the parsed project.
        feeds: feeds of which files or decisions are new; none to take all for new.
        is_code_new: views and seeds are built, too.
    """
    belong = {
        unique_id
        for unique_id, node in manifest.nodes.items()
        if _belongs(node) and (is_code_new or not _is_built_already(node))
    }
    return belong if feeds is None else belong & _reached(manifest, feeds)


def with_ancestors(manifest: "Manifest", nodes: Iterable[str]) -> set[str]:
    """Return nodes and all that they are built from, sources aside."""
    return walk(nodes, lambda unique_id: manifest.nodes[unique_id].depends_on_nodes, manifest.nodes)


def _belongs(node: Any) -> bool:
    test = getattr(node, "test_metadata", None)
    return (
        node.resource_type in ("model", "seed", "snapshot", "test")
        and node.config.enabled  # dbt keeps tests of what is disabled
        and node.config.materialized != "ephemeral"
        and "not_in_cycle" not in node.tags
        and (test is None or test.name != "references_resolve")
    )


def _is_built_already(node: Any) -> bool:
    return node.config.materialized in ("view", "seed") or "of_seeds" in node.tags


def _reached(manifest: "Manifest", feeds: Collection[str]) -> set[str]:
    """Return the nodes that differ from those of the last good cycle, or may.

    The tables that stage the ledger differ always. What they are to a reader, it says itself, so
    that they do not lead on to every feed.
    """
    children = manifest.child_map
    begun = [
        unique_id for unique_id, node in manifest.nodes.items() if _has_news(manifest, node, feeds)
    ]

    def lead_to(unique_id: str) -> list[str]:
        return [] if _stages_ledger(manifest.nodes[unique_id]) else children[unique_id]

    return walk(begun, lead_to, manifest.nodes)


def _has_news(manifest: "Manifest", node: Any, feeds: Collection[str]) -> bool:
    """Say whether a node reads something new itself, or says each night what it finds.

    What a district's own models read besides, nobody knows; so they are always built. A seed is
    new with the code alone.
    """
    sources = [manifest.sources[key] for key in node.depends_on_nodes if key in manifest.sources]
    read = {f"{source.schema.removeprefix('raw_')}/{source.identifier}" for source in sources}
    if not read.isdisjoint(feeds):
        return True
    if node.resource_type == "seed":
        return False
    if node.package_name != "rollcall" or _only_warns(node):
        return True
    reads_ledger = any(source.schema == _LEDGER for source in sources) or any(
        key in manifest.nodes and _stages_ledger(manifest.nodes[key])
        for key in node.depends_on_nodes
    )
    return reads_ledger and node.config.meta.get("reads_ledger_of") != "its_feeds"


def _only_warns(node: Any) -> bool:
    return str(getattr(node.config, "severity", "")).lower() == "warn"


def _stages_ledger(node: Any) -> bool:
    return node.resource_type == "model" and _LEDGER in node.fqn[1:-1]


def walk(
    begun: Iterable[str], following: Callable[[str], Iterable[str]], nodes: Collection[str]
) -> set[str]:
    """Return nodes and all that follows from them; what is none of `nodes` is left aside."""
    found: set[str] = set()
    waiting = list(begun)
    while waiting:
        unique_id = waiting.pop()
        if unique_id not in found and unique_id in nodes:
            found.add(unique_id)
            waiting.extend(following(unique_id))
    return found

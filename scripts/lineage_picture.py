"""Draw where mastery comes from: the models from the exports to `fct_mastery`, left to right.

Run `python scripts/lineage_picture.py MANIFEST PICTURE`. A feed stands for its base view, its
staging model and its mart.
"""

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

GOAL = "model.rollcall.fct_mastery"
COLOURS = {
    "core": "#15803d",
    "transform": "#8e44ad",
    "progression": "#0f9d8a",
    "snapshots": "#b8336a",
    "rules": "#52606d",
}
WORDS = {
    "core": "core mart of a feed",
    "transform": "intermediate",
    "progression": "progression mart",
    "snapshots": "snapshot",
    "rules": "rules (seeds)",
}
LEFT_OUT = ("int_cycle_completeness", "int_export_schedule")


def shown(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the nodes to draw: ancestors of the goal in the schemas that have a colour."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [GOAL]
    while waiting:
        node_id = waiting.pop()
        node = manifest["nodes"].get(node_id)
        if node is None or node_id in found or node["schema"] not in COLOURS:
            continue
        if node["name"] in LEFT_OUT:
            continue
        found[node_id] = node
        waiting += manifest["parent_map"][node_id]
    return found


def columns(manifest: dict[str, Any], nodes: dict[str, Any]) -> dict[str, int]:
    """Place every node right of all that it is made of, and near its first reader."""
    parents = {
        node: [parent for parent in manifest["parent_map"][node] if parent in nodes]
        for node in nodes
    }
    place: dict[str, int] = {}

    def depth(node: str) -> int:
        if node not in place:
            place[node] = 1 + max((depth(parent) for parent in parents[node]), default=-1)
        return place[node]

    for node in nodes:
        depth(node)
    for node in sorted(nodes, key=lambda node: -place[node]):
        readers = [place[child] for child in nodes if node in parents[child]]
        if readers and not parents[node]:
            place[node] = min(readers) - 1
    return place


def draw(manifest: dict[str, Any], picture: Path) -> None:
    """Write the picture, 1,800 pixels wide."""
    nodes = shown(manifest)
    place = columns(manifest, nodes)
    by_column: dict[int, list[str]] = {}
    for node in sorted(nodes, key=lambda node: nodes[node]["name"]):
        by_column.setdefault(place[node], []).append(node)
    tallest = max(map(len, by_column.values()))
    at = {
        node: (column, tallest - row - (tallest - len(members)) / 2)
        for column, members in by_column.items()
        for row, node in enumerate(members)
    }
    figure, axes = plt.subplots(figsize=(15, 1.1 * tallest + 0.6), dpi=120)
    for node, (x, y) in at.items():
        for parent in manifest["parent_map"][node]:
            if parent in at:
                start_x, start_y = at[parent]
                axes.annotate(
                    "",
                    (x - 0.44, y),
                    (start_x + 0.44, start_y),
                    arrowprops={"arrowstyle": "->", "color": "#9aa5b1", "lw": 1.2},
                )
    for node, (x, y) in at.items():
        name = nodes[node]["name"].replace("__", "__\u200b")
        axes.text(
            x,
            y,
            "\n".join(textwrap.wrap(name.replace("_", "_ "), 17)).replace("_ ", "_"),
            ha="center",
            va="center",
            fontsize=11,
            color="white",
            bbox={
                "boxstyle": "round,pad=0.5",
                "facecolor": COLOURS[nodes[node]["schema"]],
                "edgecolor": "none",
            },
        )
    for row, (schema, colour) in enumerate(COLOURS.items()):
        axes.text(-0.4 + 1.6 * row, 0.2, f"\u25a0 {WORDS[schema]}", color=colour, fontsize=12)
    axes.set_xlim(-0.6, max(by_column) + 0.6)
    axes.set_ylim(0, tallest + 0.5)
    axes.axis("off")
    figure.tight_layout(pad=0.2)
    figure.savefig(picture)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))

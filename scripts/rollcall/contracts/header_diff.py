"""How a header differs from the known layouts, in words and as the draft of a new version."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from rollcall.contracts.layouts import (
    METADATA_PREFIX,
    VARIANT_MARK,
    Layout,
    is_of_version,
    version_order,
)

_RENAME_SIMILARITY = 0.5
_TELLING_ORDER = (
    "COLUMN_DUPLICATED",
    "COLUMN_RENAMED",
    "COLUMN_REMOVED",
    "COLUMN_ADDED",
    "COLUMN_CASE_CHANGED",
    "COLUMN_REORDERED",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: its code, the column of the header, the column of the layout, in words."""

    code: str
    found: str | None
    expected: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class HeaderDiff:
    """How a header differs from the nearest layout; `code` is the difference that tells most."""

    code: str
    summary: str
    nearest: Layout
    differences: tuple[Difference, ...]


def compare(
    layouts: Sequence[Layout], names: tuple[str, ...], version: str | None = None
) -> HeaderDiff | None:
    """Compare a header with the nearest layout of its feed; None when it is that layout's.

    Nearest is a layout of the version that the delivery names when all its required columns are
    there, whatever the header has besides. Else it is the one with the most equal columns, then the
    most in common, then the fewest missing, then that of the version named, then the lowest. A
    header that has less than half of its columns resembles none; its names are not repeated then,
    because a file without a header begins with a record.
    """
    nearest = max(
        sorted(layouts, key=lambda layout: version_order(layout.version)),
        key=lambda layout: (
            is_of_version(layout, version) and _has_required(layout, names),
            *_shared(layout, names),
            is_of_version(layout, version),
        ),
    )
    known = [name.lower() for name in nearest.names]
    shared = sum(name.lower() in known for name in set(names))
    if shared * 2 < len(known):
        return HeaderDiff(
            "LAYOUT_UNKNOWN",
            f"The header has {shared} of the {len(known)} columns of {nearest.feed} "
            f"{nearest.version}; it resembles no known layout.",
            nearest,
            (),
        )
    differences = tuple(_differences(nearest.names, names))
    if not differences:
        return None
    codes = [difference.code for difference in differences]
    sentences = " ".join(difference.sentence for difference in differences)
    return HeaderDiff(
        next(code for code in _TELLING_ORDER if code in codes),
        f"Compared with {nearest.feed} {nearest.version}: {sentences}",
        nearest,
        differences,
    )


def _has_required(layout: Layout, names: tuple[str, ...]) -> bool:
    """Say whether a header has every column that a layout requires."""
    required = {column.name for column in layout.columns if column.requirement != "no"}
    return required <= set(names)


def _shared(layout: Layout, names: tuple[str, ...]) -> tuple[int, int, int]:
    """Count the columns that are equal in place, those in common, and, below 0, those missing."""
    equal = sum(mine == theirs for mine, theirs in zip(layout.names, names, strict=False))
    common = len(set(layout.names) & set(names))
    return equal, common, common - len(layout.names)


def _differences(known: tuple[str, ...], names: tuple[str, ...]) -> Iterator[Difference]:
    """Yield every difference between a layout's columns and a header."""
    seen: set[str] = set()
    for place, name in enumerate(names, 1):
        if name in seen:
            yield Difference(
                "COLUMN_DUPLICATED", name, None, f"column {place} '{name}' stands twice."
            )
        seen.add(name)
    missing = [name for name in known if name not in seen]
    added = [
        name
        for name in dict.fromkeys(names)
        if name not in known and not name.startswith(METADATA_PREFIX)
    ]
    for name in list(missing):
        twin = next((other for other in added if other.lower() == name.lower()), None)
        if twin is not None:
            yield Difference(
                "COLUMN_CASE_CHANGED",
                twin,
                name,
                f"column {names.index(twin) + 1} '{twin}' should be written '{name}'.",
            )
            missing.remove(name)
            added.remove(twin)
    for name in list(missing):
        new = _renamed(name, known.index(name), added, names)
        if new is not None:
            yield Difference(
                "COLUMN_RENAMED",
                new,
                name,
                f"column {names.index(new) + 1} '{new}' stands where '{name}' is expected.",
            )
            missing.remove(name)
            added.remove(new)
    for name in missing:
        yield Difference(
            "COLUMN_REMOVED", None, name, f"column {known.index(name) + 1} '{name}' is missing."
        )
    for name in added:
        yield Difference(
            "COLUMN_ADDED", name, None, f"column {names.index(name) + 1} '{name}' is unknown."
        )
    yield from _order_differences(known, names, is_complete=not missing)


def _order_differences(
    known: tuple[str, ...], names: tuple[str, ...], *, is_complete: bool
) -> Iterator[Difference]:
    kept = [name for name in dict.fromkeys(names) if name in known]
    order = [name for name in known if name in kept]
    if kept != order:
        first = next(mine for mine, theirs in zip(kept, order, strict=True) if mine != theirs)
        yield Difference(
            "COLUMN_REORDERED",
            first,
            first,
            f"column {names.index(first) + 1} '{first}' is expected "
            f"at position {known.index(first) + 1}.",
        )
    trailing = next((name for name in names if name.startswith(METADATA_PREFIX)), None)
    if trailing and names.index(trailing) < len(known) and trailing not in known and is_complete:
        yield Difference(
            "COLUMN_REORDERED",
            trailing,
            None,
            f"'{trailing}' must stand right of all other columns.",
        )


def _renamed(name: str, place: int, added: list[str], names: tuple[str, ...]) -> str | None:
    """Find the new name of a column: the stranger in its place, else one much like it."""
    if place < len(names) and names[place] in added:
        return names[place]
    similar = [
        (SequenceMatcher(None, name.lower(), other.lower()).ratio(), other) for other in added
    ]
    best = max(similar, default=(0.0, ""))
    return best[1] if best[0] > _RENAME_SIMILARITY else None


def draft_rows(
    difference: HeaderDiff,
    layouts: Sequence[Layout],
    seed_rows: Sequence[Mapping[str, str]],
    names: tuple[str, ...],
) -> list[dict[str, str]]:
    """Draft the rows of a new version for the contracts, to be reviewed by a person.

    The version is a variant of the nearest one: renamed columns are staged as before; new ones are
    kept raw, and count as personal until somebody says otherwise. There is no draft for a header
    that resembles no layout or names a column twice.

    Args:
        difference: what `compare` found.
        layouts: all layouts of the feed.
        seed_rows: the rows of the nearest version, as its seed has them.
        names: the header.
    """
    codes = {item.code for item in difference.differences}
    if not codes or "COLUMN_DUPLICATED" in codes:
        return []
    renamed = {
        item.found: item.expected
        for item in difference.differences
        if item.code in ("COLUMN_RENAMED", "COLUMN_CASE_CHANGED")
    }
    known = {row["column_name"]: row for row in seed_rows}
    version = draft_version(layouts, difference.nearest)
    blank = dict.fromkeys(seed_rows[0], "") | {
        "data_type": "string",
        "is_required": "no",
        "allows_extension": "false",
        "is_key": "false",
        "personal_data": "direct",
        "meaning": "New; say what it means.",
    }
    return [
        dict(known.get(renamed.get(name) or name, blank))
        | {
            "feed": difference.nearest.feed,
            "layout_version": version,
            "position": str(position),
            "column_name": name,
        }
        for position, name in enumerate(
            (name for name in names if not name.startswith(METADATA_PREFIX)), 1
        )
    ]


def draft_version(layouts: Sequence[Layout], nearest: Layout) -> str:
    """Name the next variant of a version: 1.1-2 after 1.1, 1.1-3 after 1.1-2."""
    taken = {layout.version for layout in layouts}
    number = 2
    while f"{nearest.base_version}{VARIANT_MARK}{number}" in taken:
        number += 1
    return f"{nearest.base_version}{VARIANT_MARK}{number}"

"""Pictures of the report: static SVG, legible in print and without colour, each with its table.

Colours are those of Okabe and Ito, which the colour-blind can tell apart; patterns and marks say
the same once more.
"""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import duckdb

from rollcall.environment import undisturbed

Rows = list[tuple[Any, ...]]
_NEWEST = 60
"""Cycles in a picture; older ones stand in the listings."""
_INK = "#1f2933"
_OUTCOMES = (
    ("duplicate", "#56b4e9", ""),
    ("rejected", "#e69f00", "///"),
    ("malformed", "#d55e00", "xxx"),
)
_ARRIVALS = (
    ("on time", "#0072b2", "o"),
    ("late", "#e69f00", "^"),
    ("missing", "#d55e00", "X"),
)
_STATES = (
    ("mastered", "#0072b2", ""),
    ("not mastered", "#e69f00", "///"),
    ("insufficient evidence", "#cccccc", "..."),
    ("not evaluated", "#ffffff", ""),
)
_LEGS = (
    ("event to export", "#0072b2", "o"),
    ("export to landing", "#d55e00", "s"),
    ("landing to use", "#009e73", "^"),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture: its SVG, what it shows in words, and the figures that it shows."""

    name: str
    title: str
    meaning: str
    svg: str
    columns: tuple[str, ...]
    rows: Rows


def arrivals(connection: duckdb.DuckDBPyConnection) -> Picture | None:
    """Draw which due feeds were on time, late or missing in each cycle."""
    rows = connection.execute(f"""
        select cycle, source || ' ' || regexp_replace(feed, '^.*/', '') as due_feed, status
        from listing_lag
        where status <> '' and cycle > (select max(cycle) from listing_lag) - {_NEWEST}
        order by cycle, due_feed, status
    """).fetchall()
    if not rows:
        return None
    feeds = sorted({feed for _, feed, _ in rows}, reverse=True)

    def draw(axes: Any) -> None:
        for status, colour, mark in _ARRIVALS:
            points = [(cycle, feeds.index(feed)) for cycle, feed, found in rows if found == status]
            axes.scatter(*_columns(points, 2), s=70, c=colour, marker=mark, label=status)
        axes.set_yticks(range(len(feeds)), feeds)
        axes.set_ylim(-0.6, len(feeds) - 0.4)

    return _picture(
        ("arrivals", "Arrivals against the schedule"),
        f"Of the exports that were due: {_tally(status for _, _, status in rows)}.",
        [draw],
        ("cycle", "due feed", "status"),
        rows,
        height=0.7 + 0.28 * len(feeds),
    )


def verdicts(connection: duckdb.DuckDBPyConnection) -> Picture | None:
    """Draw the verdicts on records in each cycle; others than accepted on a scale of their own."""
    rows = connection.execute(f"""
        select cycle, coalesce(accepted, 0), coalesce(duplicates, 0), coalesce(rejected, 0),
            coalesce(malformed, 0)
        from listing_cycles
        where cycle > (select max(cycle) from listing_cycles) - {_NEWEST}
        order by cycle
    """).fetchall()
    if not rows:
        return None
    cycles, accepted, *others = _columns(rows, 5)

    def draw_accepted(axes: Any) -> None:
        axes.bar(cycles, accepted, color="#009e73", label="accepted")

    def draw_others(axes: Any) -> None:
        _stack(axes, cycles, _OUTCOMES, others)

    return _picture(
        ("verdicts", "What the records came to"),
        f"Records: {sum(accepted):,} accepted, "
        + ", ".join(
            f"{sum(counts):,} {name}" for (name, *_), counts in zip(_OUTCOMES, others, strict=True)
        )
        + ". The lower ones have a scale of their own.",
        [draw_accepted, draw_others],
        ("cycle", "accepted", *(name for name, *_ in _OUTCOMES)),
        rows,
        height=4.2,
    )


def lag(connection: duckdb.DuckDBPyConnection) -> Picture | None:
    """Draw the median and the longest way of the data, by source and part of the way."""
    rows = connection.execute(f"""
        select cycle, source, max(event_to_export_median), max(event_to_export_longest),
            max(export_to_landing_median), max(export_to_landing_longest),
            max(landing_to_use_median), max(landing_to_use_longest)
        from listing_lag
        where files > 0 and cycle > (select max(cycle) from listing_lag) - {_NEWEST}
        group by cycle, source
        order by cycle, source
    """).fetchall()
    if not rows:
        return None

    def draw(source: str) -> Callable[[Any], None]:
        own = [row for row in rows if row[1] == source]

        def on(axes: Any) -> None:
            for number, (leg, colour, mark) in enumerate(_LEGS):
                known = [(r[0], r[2 + 2 * number], r[3 + 2 * number]) for r in own]
                known = [point for point in known if point[1] is not None]
                cycles, medians, longest = _columns(known, 3)
                offset = [cycle + 0.15 * (number - 1) for cycle in cycles]
                axes.vlines(offset, medians, longest, colors=colour)
                axes.scatter(offset, medians, s=34, c=colour, marker=mark, label=leg, zorder=3)
            axes.set_title(source, loc="left", fontsize=10)
            axes.set_ylabel("hours")
            axes.margins(y=0.15)

        return on

    sources = sorted({row[1] for row in rows})
    return _picture(
        ("lag_by_cycle", "How long the data was on its way"),
        "For each source and cycle, the slowest feed: the mark is the median, the line goes up to "
        "the longest.",
        [draw(source) for source in sources],
        (
            *("cycle", "source", "event to export, median", "longest"),
            *("export to landing, median", "longest", "landing to use, median", "longest"),
        ),
        rows,
        height=2.1 * len(sources),
    )


def mastery(connection: duckdb.DuckDBPyConnection) -> Picture | None:
    """Draw how many outcomes were in each state at every cut-off."""
    rows = connection.execute(f"""
        with steps as (
            select valid_from as moment, state, 1 as step
            from good.progression.fct_mastery_history
            union all
            select valid_to, state, -1
            from good.progression.fct_mastery_history
            where valid_to is not null
        ),

        counted as (
            select moment, state, sum(step) as step from steps group by all
        ),

        state_counts as (
            select cycles.cycle, counted.state, sum(counted.step)::bigint as outcomes
            from listing_cycles as cycles
            inner join counted on counted.moment <= cycles.cutoff
            where cycles.cycle > (select max(cycle) from listing_cycles) - {_NEWEST}
                and starts_with(cycles.outcome, 'published')
            group by all
        )

        select
            cycle,
            {
        ", ".join(
            f"coalesce(sum(outcomes) filter (state = '{state.replace(' ', '_')}'), 0)::bigint"
            for state, *_ in _STATES
        )
    }
        from state_counts
        group by cycle
        order by cycle
    """).fetchall()
    if not rows:
        return None
    cycles, *counts = _columns(rows, 1 + len(_STATES))
    newest = ", ".join(
        f"{numbers[-1]:,} {state}" for (state, *_), numbers in zip(_STATES, counts, strict=True)
    )
    return _picture(
        ("mastery_by_cycle", "Mastery over time"),
        f"Outcomes, each of one student and one objective; in cycle {cycles[-1]}: {newest}.",
        [lambda axes: _stack(axes, cycles, _STATES, counts)],
        ("cycle", *(state for state, *_ in _STATES)),
        rows,
        height=2.8,
    )


def _stack(
    axes: Any,
    cycles: Sequence[int],
    parts: Sequence[tuple[str, str, str]],
    counts: Sequence[Sequence[int]],
) -> None:
    bottom = [0] * len(cycles)
    for (name, colour, hatch), numbers in zip(parts, counts, strict=True):
        axes.bar(
            cycles,
            numbers,
            bottom=bottom,
            color=colour,
            hatch=hatch,
            edgecolor=_INK,
            linewidth=0.6,
            label=name,
        )
        bottom = [below + number for below, number in zip(bottom, numbers, strict=True)]


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Turn rows into columns, also when there is no row."""
    return [[row[index] for row in rows] for index in range(width)]


def _tally(statuses: Any) -> str:
    found = list(statuses)
    return ", ".join(f"{found.count(status):,} {status}" for status, *_ in _ARRIVALS)


def _picture(
    heading: tuple[str, str],
    meaning: str,
    panels: Sequence[Callable[[Any], None]],
    columns: tuple[str, ...],
    rows: Rows,
    *,
    height: float,
) -> Picture:
    """Draw the panels one below the other over the cycles they share.

    The library is loaded here, since most commands draw nothing.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with undisturbed({"MPLBACKEND": "svg"}):
        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

    name, title = heading
    style: dict[Any, Any] = {
        **matplotlib.rcParamsDefault,
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": _INK,
        "axes.edgecolor": _INK,
        "axes.labelcolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(9, height), layout="constrained", facecolor="none")
        for axes, draw in zip(
            figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0], panels, strict=True
        ):
            draw(axes)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=9)
        axes.set_xlabel("cycle")
        drawn = BytesIO()
        FigureCanvasSVG(figure).print_svg(drawn, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return Picture(name, title, meaning, _inline(drawn.getvalue().decode(), name), columns, rows)


def _inline(svg: str, name: str) -> str:
    """Make the drawing a part of a page: no prologue, ids of its own, named by its caption."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}_", body)
    label = f'role="img" aria-labelledby="{name}_title" aria-describedby="{name}_meaning"'
    return re.sub(
        r'<svg[^>]*viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1" {label}>', body, count=1
    )

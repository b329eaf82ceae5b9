"""Figures: their statistics, the table a person reads, and the JSON file."""

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

HEAD = ("what", "floor", "ours", "ratio", "aim", "")


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` percent of `values` do not exceed (nearest rank)."""
    if not values:
        raise ValueError("there is nothing to rank")
    ordered = sorted(values)
    return ordered[max(1, math.ceil(len(ordered) * share / 100)) - 1]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return float(statistics.median(values))


@dataclass(frozen=True)
class Aim:
    """What a figure should be: `most` or `least` so much."""

    kind: Literal["most", "least"]
    value: float

    def is_met(self, value: float) -> bool:
        """Whether it is."""
        return value <= self.value if self.kind == "most" else value >= self.value

    def shown(self, unit: str) -> str:
        """As it stands in the table."""
        return f"{'≤' if self.kind == 'most' else '≥'} {shown(self.value)} {unit}".strip()


def at_most(value: float) -> Aim:
    """The figure should not be above it."""
    return Aim("most", value)


def at_least(value: float) -> Aim:
    """The figure should not be below it."""
    return Aim("least", value)


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    what: str
    floor: str
    ours: str
    ratio: str
    aim: str
    verdict: str


@dataclass
class Board:
    """Everything that was measured, by name, and the lines of the table in the order they were added."""

    figures: dict[str, float] = field(default_factory=dict)
    rows: list[Row | str] = field(default_factory=list)

    def head(self, title: str) -> None:
        """A heading within the table."""
        self.rows.append(title)

    def add(
        self,
        what: str,
        unit: str,
        ours: float,
        *,
        name: str,
        floor: float | None = None,
        aim: Aim | None = None,
    ) -> None:
        """A figure of ours; `aim` is about it."""
        self.figures[name] = ours
        if floor is not None:
            self.figures[f"{name}_floor"] = floor
        self.rows.append(
            Row(
                what,
                f"{shown(floor)} {unit}" if floor is not None else "",
                f"{shown(ours)} {unit}".strip(),
                shown(ours / floor) if floor else "",
                aim.shown(unit) if aim else "",
                _verdict(aim, ours),
            )
        )

    def compare(self, what: str, unit: str, base: float, ours: float, *, name: str, aim: Aim) -> None:
        """A figure whose ratio to `base` (the floor's, or ours with less to do) is the point."""
        ratio = ours / base
        self.figures[name] = ratio
        self.rows.append(
            Row(
                what,
                f"{shown(base)} {unit}",
                f"{shown(ours)} {unit}",
                shown(ratio),
                aim.shown(""),
                _verdict(aim, ratio),
            )
        )

    def note(self, name: str, value: float) -> None:
        """For the file only."""
        self.figures[name] = value

    def missed(self) -> list[str]:
        """What has an aim and misses it."""
        return [row.what for row in self.rows if isinstance(row, Row) and row.verdict == "missed"]

    def table(self) -> str:
        """As Markdown, which reads well as it is."""
        cells = [HEAD, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
        lines = ["| " + " | ".join(_pad(line, widths)) + " |" for line in cells]
        rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
        return "\n".join([lines[0], rule, *lines[1:]])

    def write(self, path: Path) -> None:
        """All figures as `{"figures": {NAME: number}}`."""
        rounded = {name: round(value, 4) for name, value in self.figures.items()}
        path.write_text(json.dumps({"figures": rounded}, indent=2) + "\n")


def shown(value: float) -> str:
    """Three digits that mean something."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _verdict(aim: Aim | None, value: float) -> str:
    if aim is None:
        return ""
    return "met" if aim.is_met(value) else "missed"


def _cells(row: Row | str) -> tuple[str, ...]:
    if isinstance(row, str):
        return (f"**{row}**", *[""] * (len(HEAD) - 1))
    return row.what, row.floor, row.ours, row.ratio, row.aim, row.verdict


def _pad(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    aligned = [line[0].ljust(widths[0])]
    aligned += [cell.rjust(width) for cell, width in zip(line[1:5], widths[1:5], strict=True)]
    return [*aligned, line[5].ljust(widths[5])]

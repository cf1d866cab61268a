"""The figures of a run as a table, and which goals they meet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table. A goal is the least ratio to the reference, or the most of a count."""

    name: str
    value: str
    ratio: float | None = None
    least: float | None = None
    count: float | None = None
    most: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None where there is none, and the figure is for the record."""
        if self.least is not None and self.ratio is not None:
            return self.ratio >= self.least
        if self.most is not None and self.count is not None:
            return self.count <= self.most
        return None

    @property
    def goal(self) -> str:
        if self.least is not None:
            return f">= {self.least:g}"
        return f"<= {self.most:g}" if self.most is not None else ""


def table(figures: list[Figure]) -> str:
    """The figures in columns: what, how much, the ratio to the reference, the goal, the verdict."""
    rows = [("", "median", "ratio", "goal", "")] + [_row(figure) for figure in figures]
    widths = [max(len(row[place]) for row in rows) for place in range(5)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}"
        f"  {row[3]:<{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    )


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    verdict = {True: "met", False: "NOT MET", None: ""}[figure.is_met]
    return figure.name, figure.value, ratio, figure.goal, verdict

"""Bars as SVG, by hand: one figure a line, in the colours of docs/images; a library for ten rectangles would be one more to install."""

from __future__ import annotations

from html import escape

from stellwerk_bench.figures import Line, Series, number

WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 760, 250, 120, 22, 12, 44
OURS, PEER, INK, SPREAD = "#1f5f8b", "#9aa7b1", "#1b1b1b", "#d1495b"


def bars(line: Line) -> str:
    """A bar for each subject that has a figure, its spread as a line over it."""
    shown = [one for one in line.series if one.rounds]
    longest = max((max(one.rounds) for one in shown), default=0.0) or 1.0
    height = TOP + len(shown) * (BAR + GAP) + 8
    told = f"{line.title}, {line.unit}, {line.better} is better"
    rows = [_row(one, place, longest) for place, one in enumerate(shown)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="sans-serif" font-size="13">\n'
        f"  <title>{escape(told)}</title>\n"
        f'  <rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
        f'  <text x="12" y="24" fill="{INK}" font-size="15">{escape(told)}</text>\n' + "".join(rows) + "</svg>\n"
    )


def _row(one: Series, place: int, longest: float) -> str:
    room = WIDTH - LEFT - RIGHT
    y = TOP + place * (BAR + GAP)
    middle = y + BAR / 2
    at = [LEFT + room * value / longest for value in (min(one.rounds), one.median, max(one.rounds))]
    return (
        f'  <text x="{LEFT - 8}" y="{middle + 4:.1f}" text-anchor="end" fill="{INK}">{escape(one.subject)}</text>\n'
        f'  <rect x="{LEFT}" y="{y}" width="{max(at[1] - LEFT, 1):.1f}" height="{BAR}" fill="{PEER if one.peer else OURS}"/>\n'
        f'  <line x1="{at[0]:.1f}" y1="{middle:.1f}" x2="{at[2]:.1f}" y2="{middle:.1f}" stroke="{SPREAD}" stroke-width="2"/>\n'
        f'  <text x="{at[2] + 8:.1f}" y="{middle + 4:.1f}" fill="{INK}">{number(one.median)}</text>\n'
    )

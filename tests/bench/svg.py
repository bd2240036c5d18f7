# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plots as SVG, with nothing but Python's own library: lines over two axes, and groups of bars."""

import html
import math

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 64, 96
# Told apart by people who do not see all colours, too (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
MARKERS = ("circle", "square", "diamond", "triangle")
INK, FAINT = "#24292f", "#d0d7de"


def number(value):
    """A short label for a tick."""
    if value >= 1e5 or 0 < value < 1e-3:
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")
    return f"{value:,.10g}"


class Axis:
    """Maps values to positions between @first and @last."""

    def __init__(self, values, first, last, logarithmic, ticks=None):
        self.first, self.last, self.logarithmic = first, last, logarithmic
        low, high = min(values), max(values)
        self.ticks = list(ticks) if ticks else self.powers(low, high) if logarithmic else self.steps(high)
        low, high = min([low, *self.ticks]), max([high, *self.ticks])
        if logarithmic:
            margin = (high / low) ** 0.03 if high > low else 1.2
            low, high = low / margin, high * margin
        self.low, self.high = self.scale(low), self.scale(high)

    @staticmethod
    def steps(high):
        """Multiples of 1, 2 or 5 times a power of ten, from 0 to beyond @high, about six of them."""
        rough = high / 6 or 1
        power = 10 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
        return [step * i for i in range(math.ceil(high / step) + 1)]

    @staticmethod
    def powers(low, high):
        """1, 2 and 5 times powers of ten around the values; of many powers, these alone."""
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        factors = (1, 2, 5) if high / low < 500 else (1,)
        all_ticks = [factor * 10.0**power for power in powers for factor in factors]
        below = [tick for tick in all_ticks if tick <= low][-1:]
        above = [tick for tick in all_ticks if tick >= high][:1]
        return sorted({*below, *(tick for tick in all_ticks if low < tick < high), *above})

    def scale(self, value):
        return math.log10(value) if self.logarithmic else value

    def position(self, value):
        return self.first + (self.last - self.first) * (self.scale(value) - self.low) / ((self.high - self.low) or 1)


class Drawing:
    def __init__(self, title, subtitle, height=HEIGHT):
        self.height = height
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="12">',
            f"<title>{html.escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        ]
        self.text(LEFT, 26, title, size=16, weight="bold")
        self.text(LEFT, 46, subtitle, colour="#57606a")

    def text(self, x, y, text, anchor="start", size=12, weight="normal", colour=INK, turn=None):
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
            f'fill="{colour}"{turned}>{html.escape(text)}</text>'
        )

    def line(self, x1, y1, x2, y2, colour=FAINT, width=1):
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'
        )

    def rectangle(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" fill="{colour}"/>')

    def marker(self, x, y, kind, colour):
        points = {
            "square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
            "diamond": ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
            "triangle": ((0, -5), (5, 4), (-5, 4)),
        }
        if kind == "circle":
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        else:
            corners = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in points[kind])
            self.parts.append(f'<polygon points="{corners}" fill="{colour}"/>')

    def legend(self, names, y):
        x = LEFT
        for i, name in enumerate(names):
            width = 30 + 6.8 * len(name)
            if x + width > WIDTH - RIGHT and x > LEFT:
                x, y = LEFT, y + 18
            self.marker(x + 6, y - 4, MARKERS[i % len(MARKERS)], COLOURS[i % len(COLOURS)])
            self.text(x + 17, y, name)
            x += width

    def finish(self):
        return "\n".join([*self.parts, "</svg>", ""])


def lines(title, subtitle, x_label, y_label, series, log_x=False, log_y=False, x_ticks=None, x_names=None):
    """
    @series: {name: [(x, y), ...]}, positive values
    @x_ticks: where the x axis is labelled, with @x_names or the numbers
    """
    drawing = Drawing(title, subtitle)
    points = [point for values in series.values() for point in values]
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    x_axis = Axis([x for x, _ in points], LEFT, right, log_x, x_ticks)
    y_axis = Axis([y for _, y in points], bottom, TOP, log_y)
    for tick in y_axis.ticks:
        y = y_axis.position(tick)
        drawing.line(LEFT, y, right, y)
        drawing.text(LEFT - 8, y + 4, number(tick), "end")
    for i, tick in enumerate(x_axis.ticks):
        x = x_axis.position(tick)
        drawing.line(x, bottom, x, bottom + 5, INK)
        drawing.text(x, bottom + 19, x_names[i] if x_names else number(tick), "middle")
    drawing.line(LEFT, bottom, right, bottom, INK)
    drawing.line(LEFT, TOP, LEFT, bottom, INK)
    logarithmic = " (logarithmic)"
    drawing.text((LEFT + right) / 2, bottom + 40, x_label + logarithmic * log_x, "middle")
    drawing.text(20, (TOP + bottom) / 2, y_label + logarithmic * log_y, "middle", turn=-90)
    for i, values in enumerate(series.values()):
        colour = COLOURS[i % len(COLOURS)]
        places = [(x_axis.position(x), y_axis.position(y)) for x, y in values]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawing.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in places:
            drawing.marker(x, y, MARKERS[i % len(MARKERS)], colour)
    drawing.legend(series, HEIGHT - 34)
    return drawing.finish()


def bars(title, subtitle, x_label, names, series):
    """
    @names: of the groups
    @series: {name: [a value for each group]}, none negative
    """
    thickness, space, left = 14, 12, 190
    group = thickness * len(series) + space
    height = TOP + group * len(names) + BOTTOM
    drawing = Drawing(title, subtitle, height)
    bottom, right = height - BOTTOM, WIDTH - RIGHT - 60
    axis = Axis([value for values in series.values() for value in values] + [0], left, right, False)
    for tick in axis.ticks:
        x = axis.position(tick)
        drawing.line(x, TOP, x, bottom)
        drawing.text(x, bottom + 18, number(tick), "middle")
    for i, name in enumerate(names):
        top = TOP + space / 2 + i * group
        drawing.text(left - 8, top + thickness * len(series) / 2 + 4, name, "end")
        for j, values in enumerate(series.values()):
            y = top + j * thickness
            drawing.rectangle(left, y, axis.position(values[i]) - left, thickness - 2, COLOURS[j % len(COLOURS)])
            drawing.text(axis.position(values[i]) + 5, y + thickness - 4, f"{values[i]:.3g}", size=10)
    drawing.line(left, TOP, left, bottom, INK)
    drawing.text((left + right) / 2, bottom + 38, x_label, "middle")
    if len(series) > 1:
        drawing.legend(series, height - 30)
    return drawing.finish()

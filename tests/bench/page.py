# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where figures go: CSV files, Markdown tables, and the generated parts of a README."""

import csv
import datetime
import platform
import re
import shlex


def write_csv(path, rows):
    """@rows: dictionaries with the same keys."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()})


def table(head, rows):
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def fixed(value, digits=3):
    """@digits that count, without an exponent."""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e" in text else text


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = re.findall(r"^model name\s*:\s*(.*)$", file.read(), re.MULTILINE)
        return f"{names[0]}, {len(names)} cores" if names else platform.machine()
    except OSError:
        return platform.machine()


def system():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def origin(device, driver, arguments):
    """Where figures come from."""
    command = shlex.join(arguments)
    return (
        f"{device}, driver {driver}; host {processor()}, {system()}; {datetime.date.today().isoformat()}; made by `{command}`."
    )


def replace_part(path, name, text, empty="# Performance\n"):
    """
    Puts @text between the markers of the part called @name in a Markdown file; appends the part, or makes the
    file, where there is none.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    part = f"{begin}\n{text.strip()}\n{end}"
    page = path.read_text(encoding="utf-8") if path.is_file() else empty
    if begin in page:
        first, last = page.index(begin), page.index(end) + len(end)
        page = page[:first] + part + page[last:]
    else:
        page = f"{page.rstrip()}\n\n{part}\n"
    path.write_text(page, encoding="utf-8")

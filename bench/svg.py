# SPDX-License-Identifier: MIT OR Apache-2.0
"""Bar charts of ratios."""
from xml.sax.saxutils import escape

LEFT, WIDTH, ROW = 330, 860, 18


def chart(path, title, rows, better):
    """`rows` of name and ratio, own to the system's; `better` is "more" or "less"."""
    most = max([2.0, *(ratio for _, ratio in rows)]) * 1.08
    height = 50 + ROW * len(rows)

    def x(value):
        return LEFT + (WIDTH - LEFT - 60) * value / most

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
             f'<text x="10" y="20" font-size="14">{escape(title)}</text>']
    for n, (name, ratio) in enumerate(rows):
        y = 34 + ROW * n
        good = ratio >= 0.97 if better == "more" else ratio <= 1.03
        parts += [f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>',
                  f'<rect x="{LEFT}" y="{y + 2}" width="{x(ratio) - LEFT:.1f}" height="{ROW - 5}" '
                  f'fill="{"#3a7d44" if good else "#b23a48"}"/>',
                  f'<text x="{x(ratio) + 4:.1f}" y="{y + 12}">{ratio:.2f}</text>']
    parts += [f'<line x1="{x(1):.1f}" y1="30" x2="{x(1):.1f}" y2="{height - 14}" stroke="black" '
              'stroke-dasharray="3,2"/>', "</svg>"]
    with open(path, "w") as file:
        file.write("\n".join(parts) + "\n")

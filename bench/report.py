# SPDX-License-Identifier: MIT OR Apache-2.0
"""The report: tables in Markdown, and plots."""
import os

import svg


def time_of(ns):
    return f"{ns / 1000:.1f} us" if ns < 1e6 else f"{ns / 1e6:.2f} ms"


def rate_of(load, rate):
    if size := getattr(load, "size", 0):
        if size >= 32 << 10:
            return f"{rate * size / (1 << 20):,.0f} MiB/s"
    return f"{rate:,.0f}/s"


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


WAYS = {"dev": "/dev/fuse", "uring": "io_uring"}


def timing(results):
    """Of each filesystem a table; `results` has (program, source, load, compared)."""
    ways = list(results[0][3].ratio)
    head = ["load", "libfuse"]
    for way in ways:
        head += [WAYS[way], "ratio", "+-"]
    head += ["p50", "p99", "daemon's time each", "rounds"]
    for program, source in dict.fromkeys((r[0], r[1]) for r in results):
        yield f"\n### {program}, source in {source}\n"
        rows = []
        for name, where, load, found in results:
            if (name, where) != (program, source):
                continue
            all_of = list(found.measured.values())
            row = [load.name, rate_of(load, found.measured["libfuse"].rate)]
            for way in ways:
                row += [rate_of(load, found.measured[way].rate), f"**{found.ratio[way]:.2f}**",
                        f"{found.spread[way]:.2f}"]
            row += [" / ".join(time_of(each.p50) for each in all_of),
                    " / ".join(time_of(each.p99) for each in all_of),
                    " / ".join(time_of(each.cpu) for each in all_of) + " (" +
                    ", ".join(f"{found.cpu_ratio[way]:.2f}" for way in ways) + ")", str(found.count)]
            rows.append(row)
        yield from table(head, rows)


def counted(counts):
    """`counts` has (program, operation, (instructions of both), (system calls of both))."""
    head = ("filesystem", "operation", "instructions", "ratio", "system calls")
    rows = []
    for program, kind, (was, now), (calls_were, calls_are) in counts:
        rows.append((program, kind, f"{was:,.0f} / {now:,.0f}", f"**{now / was:.2f}**",
                     f"{calls_were:.1f} / {calls_are:.1f}"))
    return table(head, rows)


def sizes(rows):
    head = ("filesystem", "start-up", "memory at rest", "peak")
    return table(head, ((name, f"{s.start * 1000:.1f} / {o.start * 1000:.1f} ms",
                         f"{s.rest} / {o.rest} KiB", f"{s.peak} / {o.peak} KiB") for name, s, o in rows))


def beside_bare(found):
    """`found` has (where, load, compared)."""
    head = ("processors", "load", "what", "rate", "ratio", "+-", "daemon's time each", "ratio")
    rows = []
    for where, load, compared in found:
        for what, one in compared.measured.items():
            row = [where, load.name, what, rate_of(load, one.rate)]
            if what in compared.ratio:
                rows.append((*row, f"**{compared.ratio[what]:.2f}**", f"{compared.spread[what]:.2f}",
                             time_of(one.cpu), f"**{compared.cpu_ratio[what]:.2f}**"))
            else:
                rows.append((*row, "", "", time_of(one.cpu), ""))
    return table(head, rows)


def write(path, machine, state, results, counts, small, beside):
    folder = os.path.dirname(path)
    lines = ["# Debian's libfuse and ferrofuse, side by side", "",
             "Written by `make bench`. The same programs on both libraries, in turns; medians of the rounds. Where several",
             "figures stand in one field, the first is libfuse's, the others are ours, by the device and by io_uring. The",
             "ratio is that of throughputs, ours to libfuse's; `+-` is half the width of its middle half.", ""]
    lines += [f"- {name}: {value}" for name, value in (*machine, ("state", state))]
    if counts:
        lines += ["", "## What a request costs", "", "Instructions of the library in user space, from callgrind; system "
                  "calls of the daemon, from strace. Names and attributes are not cached:", "see bench/limits.tsv for "
                  "what an operation is.", ""]
        lines += counted(counts)
        rows = [(f"{program}: {kind}", now / was) for program, kind, (was, now), _ in counts]
        svg.chart(os.path.join(folder, "instructions.svg"), "Instructions per operation, to libfuse's", rows, "less")
        lines += ["", "![instructions](instructions.svg)"]
    if small:
        lines += ["", "## Start and memory", "", "From exec to the first reply; resident memory of the process.", ""]
        lines += sizes(small)
    if beside:
        lines += ["", "## Beside a bare loop", "", "`bench/bare.c` answers from memory by one thread without a library, "
                  "`bench/memory_ll.c` the same by a library, with `-s`", "by one thread. `placed`: under SCHED_IDLE, on "
                  "its client's processor. Ratios are those to the bare loop. A 4 KiB read is one", "request, a stat is two.", ""]
        lines += beside_bare(beside)
    if results:
        lines += ["", "## Time"]
        lines += timing(results)
        for what, title, value, better in (
            ("throughput", "Throughput", lambda found, way: found.ratio[way], "more"),
            ("cpu", "Daemon's processor time per operation", lambda found, way: found.cpu_ratio[way], "less"),
            ("p50", "Median latency",
             lambda found, way: found.measured[way].p50 / max(found.measured["libfuse"].p50, 1), "less"),
            ("p99", "99th percentile of latency",
             lambda found, way: found.measured[way].p99 / max(found.measured["libfuse"].p99, 1), "less"),
        ):
            for way in results[0][3].ratio:
                rows = [(f"{p}: {load.name}" + (f" ({s})" if s == "ext4" else ""), value(found, way))
                        for p, s, load, found in results]
                svg.chart(os.path.join(folder, f"{what}-{way}.svg"), f"{title} by {WAYS[way]}, to libfuse's", rows,
                          better)
                lines += ["", f"![{what} by {WAYS[way]}]({what}-{way}.svg)"]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")

# SPDX-License-Identifier: MIT OR Apache-2.0
"""Mounts measured in turns until the medians of their ratios have settled."""
import dataclasses
import statistics
import subprocess
import sys
import time


@dataclasses.dataclass
class Measured:
    """Medians of one library."""
    rate: float        # operations a second
    p50: float         # ns
    p99: float         # ns
    cpu: float         # ns of the daemon's time per operation


@dataclasses.dataclass
class Compared:
    """What several mounts did with one load; the first one is what the others are compared with."""
    measured: dict     # of each its medians
    ratio: dict        # of each other: median of its rates to the first one's, run by run
    spread: dict       # half of the middle half's width of those ratios
    cpu_ratio: dict
    count: int


def cpu_time(pid):
    """What a process has used of a processor so far, in ns."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def median(values):
    return statistics.median(values)


def once(load, bins, mount, seconds):
    before = cpu_time(mount.pid)
    run = load.run(bins, mount.mountpoint, seconds)
    return Measured(run.operations / run.seconds, run.p50, run.p99,
                    (cpu_time(mount.pid) - before) / max(run.operations, 1))


def spread_of(ratios):
    if len(ratios) < 4:
        return float("inf")
    low, _, high = statistics.quantiles(ratios, n=4)
    return (high - low) / 2


def compare(load, bins, mounts, seconds, least, most):
    """Measures the mounts, a dictionary, in turns, each time in another order, until the medians are known
    to a few percent, or `most` rounds are through."""
    names = list(mounts)
    first, others = names[0], names[1:]
    runs, ratios = {name: [] for name in names}, {name: [] for name in others}
    for count in range(1, most + 1):
        order = names[count % len(names):] + names[:count % len(names)]
        for name in order if count % 2 else reversed(order):
            runs[name].append(once(load, bins, mounts[name], seconds))
        for name in others:
            ratios[name].append(runs[name][-1].rate / runs[first][-1].rate)
        if count >= least and all(spread_of(found) / count ** 0.5 < 0.02 * median(found)
                                  for found in ratios.values()):
            break

    def medians(name):
        return Measured(*(median([getattr(run, field.name) for run in runs[name]])
                          for field in dataclasses.fields(Measured)))

    def cpu(name):
        return median([own.cpu / system.cpu for own, system in zip(runs[name], runs[first], strict=True)])

    return Compared({name: medians(name) for name in names}, {name: median(ratios[name]) for name in others},
                    {name: spread_of(ratios[name]) for name in others}, {name: cpu(name) for name in others}, count)


class Busy:
    """Keeps all processors but one busy while it is entered."""

    def __init__(self, processors):
        self.processors, self.children = processors, []

    def __enter__(self):
        for _ in range(self.processors):
            self.children.append(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.kill()
            child.wait()

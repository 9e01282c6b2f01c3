# SPDX-License-Identifier: MIT OR Apache-2.0
"""Two mounts measured in turns until the median of the pairs' ratios has settled."""
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
class Pair:
    system: Measured
    own: Measured
    ratio: float       # median of the pairs' rates, own to the system's
    spread: float      # half of the middle half's width of those ratios
    cpu_ratio: float
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


def compare(load, bins, system, own, seconds, least, most):
    """Measures pairs, each in the other order than the one before, until the median is known to a
    few percent, or `most` of them are through."""
    runs, ratios = {"system": [], "own": []}, []
    while len(ratios) < most:
        order = [("system", system), ("own", own)]
        for name, mount in order if len(ratios) % 2 == 0 else reversed(order):
            runs[name].append(once(load, bins, mount, seconds))
        ratios.append(runs["own"][-1].rate / runs["system"][-1].rate)
        if len(ratios) >= least and spread_of(ratios) / len(ratios) ** 0.5 < 0.02 * median(ratios):
            break

    def medians(name):
        return Measured(*(median([getattr(run, field.name) for run in runs[name]])
                          for field in dataclasses.fields(Measured)))

    cpu = [own.cpu / system.cpu for own, system in zip(runs["own"], runs["system"], strict=True)]
    return Pair(medians("system"), medians("own"), median(ratios), spread_of(ratios), median(cpu), len(ratios))


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

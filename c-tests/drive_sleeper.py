#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A handler that sleeps delays nobody else: stat by 64 clients, with a sleeper and without.

Usage: drive_sleeper.py BOUND [daemon options]
  BOUND  how much longer than without the sleeper the 99th percentile may be (asked for: 3)
"""
import os
import sys
import threading
import time

import ferrotest as ft

BOUND_FACTOR = float(sys.argv[1])
CLIENTS = 64
SECONDS = 1.5


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def measure(daemon):
    """Latencies in microseconds; each client is a process, so that none waits for a lock."""
    pipes = []
    for n in range(CLIENTS):
        r, w = os.pipe()
        if os.fork() == 0:
            path, worst = daemon.path(f"f{n}"), []
            until = time.monotonic() + SECONDS
            while (now := time.monotonic()) < until:
                os.stat(path)
                worst.append((time.monotonic() - now) * 1e6)
            # Enough to know the distribution of all.
            with os.fdopen(w, "w") as f:
                f.write(" ".join(f"{v:.0f}" for v in worst))
            os._exit(0)
        os.close(w)
        pipes.append(r)
    all_values = []
    for r in pipes:
        with os.fdopen(r) as f:
            all_values += [float(v) for v in f.read().split()]
    for _ in pipes:
        os.wait()
    return len(all_values), percentile(all_values, 0.5), percentile(all_values, 0.99)


def main():
    source = os.path.join(ft.TMP, "source")
    os.makedirs(source)
    for n in range(CLIENTS):
        open(os.path.join(source, f"f{n}"), "w").close()
    options = f"source={source},attr_timeout=0,entry_timeout=0"
    daemon = ft.Daemon("passthrough_hl", "-o", options, *sys.argv[2:],
                       env={"FERROFUSE_EXIT_WAIT": "1"})
    measure(daemon)
    plain = measure(daemon)
    # It never returns; the end goes on without it.
    sleeper = threading.Thread(target=lambda: ft.attempt(os.lstat, daemon.path("a.stuck")), daemon=True)
    sleeper.start()
    time.sleep(0.2)
    beside = measure(daemon)
    for name, (count, median, late) in (("without", plain), ("beside", beside)):
        ft.note(f"{name} the sleeper: {count} calls, median {median:.0f} us, p99 {late:.0f} us")
    factor = beside[2] / plain[2]
    ft.note(f"p99 {factor:.2f} times as long")
    ft.say("delayed", "little" if factor <= BOUND_FACTOR else f"FAIL {factor:.1f} times")
    daemon.abort()
    daemon.wait(10)
    daemon.clean()
    sys.exit(0 if factor <= BOUND_FACTOR else 1)


main()

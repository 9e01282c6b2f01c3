#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Workers are kept on their client's processor while there is much to do, and only then; what handlers
make is scheduled like anything else; and a program that could start others unseen is left alone.

Usage: drive_placed.py [daemon options]
"""
import os
import signal
import sys
import threading
import time

import ferrotest as ft

PATIENCE = 20
HOME = os.sched_getaffinity(0)


def scheduled(thread):
    return os.sched_getscheduler(thread), len(os.sched_getaffinity(thread))


ORDINARY = os.SCHED_OTHER, len(HOME)
PLACED = os.SCHED_IDLE, 1


def serving(daemon):
    """The threads that serve, each with how it is scheduled."""
    found = {}
    for thread in os.listdir(f"/proc/{daemon.pid}/task"):
        try:
            with open(f"/proc/{daemon.pid}/task/{thread}/comm") as f:
                if f.read().strip() in ("fuse_worker", "fuse_ring"):
                    found[thread] = scheduled(int(thread))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def workers(daemon):
    """How the threads that serve are scheduled."""
    return list(serving(daemon).values())


def becomes(what):
    until = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.002)
    return True


class Load:
    """Attributes asked for without a pause."""

    def __init__(self, daemon):
        self.stop = False
        self.thread = threading.Thread(target=self.run, args=(daemon.path("fork"),))

    def run(self, path):
        while not self.stop:
            try:
                os.stat(path)
            except OSError:
                return  # it has ended

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()


def stays_after_its_answer(check):
    """Placed workers that have answered are waited for, but not one that does something else then."""
    daemon = ft.Daemon("placed_ll", *sys.argv[1:], "-o", "max_idle_threads=4,max_threads=40",
                       env={"FERROFUSE_PLACEMENT": "always", "PLACED_STAYS": "100"})
    with Load(daemon):
        check("placed, by answers of workers that stay", becomes(lambda: PLACED in workers(daemon)), workers(daemon))
        threads, until = set(), time.monotonic() + 1
        while time.monotonic() < until:
            threads.update(serving(daemon))
            time.sleep(0.001)
        check("no thread for one that returns", len(threads) < 20, len(threads))
    # Still placed, and now each request takes a worker away.
    longest = 0
    for _ in range(20):
        asked = time.monotonic()
        os.stat(daemon.path("thread"))
        longest = max(longest, time.monotonic() - asked)
    check("threads for those that do not", longest < 0.08, longest)
    daemon.finish()


def made_by(daemon, name):
    with open(daemon.path(name), "rb", buffering=0) as f:
        return int(f.read(64))


def main():
    failed = []

    def check(what, right, seen=""):
        ft.say(what, "yes" if right else f"FAIL {seen}")
        if not right:
            failed.append(what)

    if len(HOME) < 2:
        ft.die("one processor: nothing to be placed on")
    daemon = ft.Daemon("placed_ll", *sys.argv[1:], env={"FERROFUSE_PLACEMENT": "always"})
    check("free at first", all(seen == ORDINARY for seen in workers(daemon)), workers(daemon))
    with Load(daemon):
        check("placed under load", becomes(lambda: PLACED in workers(daemon)), workers(daemon))
        for _ in range(5):
            child = made_by(daemon, "fork")
            check("a child is free", becomes(lambda: scheduled(child) == ORDINARY), scheduled(child))
            thread = made_by(daemon, "thread")
            check("a thread is free", becomes(lambda: scheduled(thread) == ORDINARY), scheduled(thread))
        check("placed still", becomes(lambda: PLACED in workers(daemon)), workers(daemon))
    check("free when done", becomes(lambda: all(seen == ORDINARY for seen in workers(daemon))), workers(daemon))
    with Load(daemon):
        check("placed again", becomes(lambda: PLACED in workers(daemon)), workers(daemon))
        # Ended while they are placed.
        daemon.signal(signal.SIGTERM)
        check("ends", daemon.wait() is not None)
    stays_after_its_answer(check)
    for program, wanted in (("placed_ll", "never"), ("placed_spawns_ll", "always")):
        daemon = ft.Daemon(program, *sys.argv[1:], env={"FERROFUSE_PLACEMENT": wanted})
        with Load(daemon):
            until, free = time.monotonic() + 0.3, True
            while time.monotonic() < until:
                free = free and all(seen == ORDINARY for seen in workers(daemon))
        check(f"{program}, {wanted}: free", free)
        daemon.finish()
    sys.exit(1 if failed else 0)


main()

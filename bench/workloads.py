# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is measured: the loads, and on which filesystems and sources they run."""
import dataclasses
import json
import os
import subprocess

from mounts import Failed, load

KIB, MIB = 1 << 10, 1 << 20


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of a load."""
    operations: int
    seconds: float
    p50: float      # ns
    p99: float      # ns


@dataclasses.dataclass(frozen=True)
class Load:
    """By our own program, of names and attributes."""
    kind: str
    clients: int = 1
    title: str = ""

    @property
    def name(self):
        return f"{self.title or self.kind}, {self.clients} client{'s' * (self.clients > 1)}"

    def run(self, bins, directory, seconds):
        return Run(*load(bins, self.kind, directory, "-c", self.clients, "-t", seconds))


@dataclasses.dataclass(frozen=True)
class Fio:
    """By fio, of data."""
    rw: str         # read, write, randread, randwrite
    size: int
    clients: int = 1
    direct: bool = True

    @property
    def name(self):
        size = f"{self.size // KIB} KiB" if self.size < MIB else f"{self.size // MIB} MiB"
        way = "random" if self.rw.startswith("rand") else "sequential"
        what = self.rw.removeprefix("rand")
        cache = "" if self.direct else " by the page cache"
        return f"{size} {way} {what}{cache}, {self.clients} client{'s' * (self.clients > 1)}"

    def run(self, bins, directory, seconds):
        words = ["fio", "--name=bench", f"--filename={directory}/data", f"--rw={self.rw}", f"--bs={self.size}",
                 f"--direct={int(self.direct)}", f"--numjobs={self.clients}", "--thread", "--group_reporting",
                 "--time_based", f"--runtime={seconds * 1000:.0f}ms", "--ioengine=psync", "--invalidate=1",
                 "--fallocate=none", "--size=4m", "--randrepeat=1", "--norandommap", "--output-format=json"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Failed(f"fio: {done.stderr.strip()[:500]}")
        job = json.loads(done.stdout[done.stdout.index("{"):])["jobs"][0]
        part = job["write" if "write" in self.rw else "read"]
        latency = part["clat_ns"]["percentile"]
        return Run(part["total_ios"], part["runtime"] / 1000, latency["50.000000"], latency["99.000000"])


NAMES = (
    Load("stat", title="stat"), Load("stat", 4, "stat"), Load("stat", 16, "stat"),
    Load("create", title="create+unlink"), Load("create", 4, "create+unlink"),
    Load("list", title="readdir of 10,000"), Load("walk", title="tree walk"),
)
SMALL = tuple(Fio(rw, 4 * KIB, clients) for rw in ("randread", "randwrite") for clients in (1, 4, 16))
LARGE = tuple(Fio(rw, size) for rw in ("read", "write") for size in (32 * KIB, 128 * KIB, MIB))
WIDE = tuple(Fio(rw, size, 4) for rw in ("read", "write") for size in (128 * KIB, MIB))
CACHED = tuple(Fio(rw, 128 * KIB, direct=False) for rw in ("read", "write"))
FEW = (SMALL[0], SMALL[1], SMALL[3], LARGE[1], LARGE[2], NAMES[0], NAMES[3])

# Filesystem, source of its data, loads.
ALL = (
    ("passthrough_ll", "tmpfs", SMALL + LARGE + WIDE + CACHED + NAMES),
    ("passthrough_ll", "ext4", (SMALL[0], *LARGE, *CACHED, NAMES[3])),
    ("passthrough_hl", "tmpfs", FEW + NAMES[4:]),
    ("memfs_ll", "memory", FEW),
    ("socket_ll", "a socket", LARGE[:3]),
    ("passthrough2", "tmpfs", FEW + NAMES[4:]),
)
QUICK = (
    ("passthrough_ll", "tmpfs", FEW),
    ("passthrough_hl", "tmpfs", FEW[:1] + FEW[-2:]),
    ("passthrough2", "tmpfs", FEW[:1] + FEW[-2:]),
)


def make_source(kind, folder):
    """A folder on that filesystem; returns what undoes it."""
    os.makedirs(folder)
    if kind in ("memory", "a socket"):
        return lambda: None
    if kind == "tmpfs":
        call("mount", "-t", "tmpfs", "none", folder)
    else:
        image = folder + ".image"
        call("truncate", "-s", "400M", image)
        call("mkfs.ext4", "-q", "-F", image)
        call("mount", "-o", "loop", image, folder)
    return lambda: call("umount", folder)


def call(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}: {done.stderr.strip()}")

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A program that imports every symbol at its node starts with LD_BIND_NOW.

The symbols are those of the table that some Debian program imports, and then all of them.
"""
import os
import subprocess

from ferrotest import LIBDIR, TMP, die, say

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "../abi/tables/symbols-libfuse2.tsv")


def rows():
    with open(TABLE) as f:
        lines = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


def program(name, symbols):
    """Linked against the system's library, which has all of them; those of BASE have no node to ask for."""
    source = os.path.join(TMP, f"{name}.c")
    with open(source, "w") as f:
        for i, (symbol, node) in enumerate(symbols):
            f.write(f'extern void f{i}(void);\n__asm__(".symver f{i}, {symbol}@{node}");\n')
        f.write("void *volatile all[] = {\n")
        f.writelines(f"    (void *)f{i},\n" for i in range(len(symbols)))
        f.write("};\nint main(void) { return all[0] == 0; }\n")
    path = os.path.join(TMP, name)
    subprocess.run(["gcc", "-x", "c", source, "-o", path, "-Wl,-z,now", "-l:libfuse.so.2"], check=True)
    return path


for name, wanted in (("used", lambda row: row["used_by"] != "0"), ("all", lambda row: True)):
    symbols = [(r["symbol"], r["version"]) for r in rows() if wanted(r) and r["version"] != "BASE"]
    if len(symbols) < 80:
        die(f"only {len(symbols)} symbols")
    environment = dict(os.environ, LD_BIND_NOW="1")
    if LIBDIR:
        environment["LD_LIBRARY_PATH"] = LIBDIR
    path = program(name, symbols)
    r = subprocess.run([path], env=environment, capture_output=True, text=True)
    traced = subprocess.run([path], env=dict(environment, LD_TRACE_LOADED_OBJECTS="1"),
                            capture_output=True, text=True).stdout
    if LIBDIR and os.path.realpath(LIBDIR) not in traced:
        die(f"not on the library under test: {traced}")
    say(name, f"{len(symbols)} symbols, exit status {r.returncode} {r.stderr.strip()}")

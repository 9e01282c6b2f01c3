#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Bad arguments for every public function: the program `bad_args` of a library, and whether it knows them all.

Usage: drive_bad_args.py 2 | 3 | 4
  the number in the name of the library
"""
import csv
import glob
import os
import re
import subprocess
import sys

import ferrotest as ft

HERE = os.path.dirname(os.path.abspath(__file__))
# Functions that need no bad arguments, and why.
ELSEWHERE = {
    "takes nothing": "fuse_version fuse_pkgversion fuse_lowlevel_version fuse_lowlevel_help fuse_cmdline_help "
                     "fuse_loop_cfg_create",
    "what others are called in the library": "fuse_loop_mt_312 fuse_new_31 fuse_parse_cmdline_312 "
                                             "fuse_session_loop_mt_312",
    "puts the process into the background, whatever it gets": "fuse_daemonize",
    "its whole job is to judge a command line: `main` and `main2`": "fuse_main_real fuse_main fuse_lib_help "
                     "fuse_lowlevel_is_lib_option fuse_is_lib_option",
}


def functions(generation):
    """Names that programs link with, without the older ages of one function."""
    path = os.path.join(HERE, f"../abi/tables/symbols-libfuse{min(generation, '3')}.tsv")
    with open(path) as f:
        rows = csv.DictReader((line for line in f if not line.startswith("#")), delimiter="\t")
        column = {"2": "default", "3": "def_3.14.0", "4": "def_3.19rc0"}[generation]
        return {row["symbol"] for row in rows if row[column].startswith("@@")}


def main():
    generation = sys.argv[1]
    program, library, pattern = {
        "4": ("bad_args4", "libfuse3.so.4", "bad_args*.c"),
        "3": ("bad_args", "libfuse3.so.3", "bad_args*.c"),
        "2": ("bad_args2", "libfuse.so.2", "fuse2/bad_args2*.c"),
    }[generation]
    named = set()
    for path in glob.glob(os.path.join(HERE, pattern)):
        with open(path) as f:
            named |= set(re.findall(r"\b(\w+)\(", f.read()))
    elsewhere = set(" ".join(ELSEWHERE.values()).split())
    missing = sorted(functions(generation) - named - elsewhere)
    if missing:
        ft.die(f"functions that get no bad arguments: {' '.join(missing)}")
    environment = dict(os.environ, LD_LIBRARY_PATH=ft.LIBDIR)
    r = subprocess.run([os.path.join(ft.BIN, program)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       env=environment, timeout=100)
    r_maps = subprocess.run(["ldd", os.path.join(ft.BIN, program)], capture_output=True, text=True, env=environment)
    if not re.search(rf"{re.escape(library)}\S* => {re.escape(os.path.realpath(ft.LIBDIR))}/", r_maps.stdout):
        ft.die(f"{program} is not linked with the library under test")
    print(r.stdout, end="")
    ft.note(r.stderr)
    sys.exit(0 if r.returncode == 0 else 1)


main()

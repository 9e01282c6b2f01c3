#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A filesystem with auto_unmount is killed, where io_uring is offered: nothing stays mounted.

Usage: drive_killed.py 3|2
"""
import os
import signal
import sys
import time

import ferrotest as ft
import uring_switch
from ferrotest2 import Daemon2

ROUNDS = 5


def mount():
    if sys.argv[1] == "2":
        env = {"FT_SOURCE": source, "FERROFUSE_LOG": "info"}
        return Daemon2("paths29", "-o", "auto_unmount", env=env)
    return ft.Daemon("passthrough_hl", "-o", f"source={source},auto_unmount", env={"FERROFUSE_LOG": "info"})


source = os.path.join(ft.TMP, "source")
os.mkdir(source)
os.environ.pop("FERROFUSE_TRANSPORT", None)
switch = uring_switch.UringSwitch()
if reason := uring_switch.works() or switch.turn_on():
    print(reason, file=sys.stderr)
    sys.exit(77)
try:
    for at in range(ROUNDS):
        daemon = mount()
        with open(daemon.path(str(at)), "w") as f:
            f.write("data")
        if "requests come by /dev/fuse: with auto_unmount" not in daemon.log():
            ft.die(f"not by the device: {daemon.log()}")
        daemon.signal(signal.SIGKILL)
        daemon.wait(30)
        deadline = time.monotonic() + 30
        while ft.mounted_device(daemon.mnt) is not None:
            if time.monotonic() > deadline:
                ft.die(f"round {at}: still mounted")
            time.sleep(0.01)
    ft.say("killed", "nothing stayed mounted")
finally:
    switch.put_back()

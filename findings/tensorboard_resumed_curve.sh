#!/usr/bin/env bash
# TensorBoard draws two different curves of one resumed training: it depends on the loader.
#
# Met with: tensorboard 2.21.0 and tensorboard-data-server 0.7.2, Linux x86-64, Python 3.11. A training
# writes steps 1 to 10, is killed, goes on from its checkpoint of step 5 and writes steps 6 to 10
# again into a second event file of the same folder.
#
# Seen: with the fast loader (the default where the data server has a wheel) the curve has 10 points,
# those of steps 6 to 10 from the second file. With --load_fast=false, and so on systems without the data
# server's program, it has 15 points and runs backwards from 10 to 6.
# A session log of kind START at the head of the second file changes nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorboard==2.21.0 tensorboard-data-server==0.7.2 "setuptools<82"
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import json
import socket
import subprocess
import sys
import time
import urllib.request

import tensorboard
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


def write(run, number, steps, start):
    """One event file of a run; a value is a hundred times the file's number, plus the step."""
    writer = EventFileWriter(run, filename_suffix=f".{number}")
    if start:
        log = SessionLog(status=SessionLog.START)
        writer.add_event(Event(wall_time=1000 + 100 * number, step=steps[0], session_log=log))
    for step in steps:
        value = Summary.Value(tag="fid", simple_value=100 * number + step)
        writer.add_event(
            Event(wall_time=1000 + 100 * number + step, step=step, summary=Summary(value=[value]))
        )
    writer.close()
    time.sleep(1.1)  # the files' names hold the second


def curve(run, fast):
    """Steps and values that TensorBoard's own interface serves."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", run, "--host", "127.0.0.1",
         "--port", str(port), f"--load_fast={fast}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/data/plugin/scalars/scalars?run=.&tag=fid"
    try:
        before = None
        for _ in range(60):
            time.sleep(1)
            try:
                now = [(step, value) for _, step, value in json.load(urllib.request.urlopen(address))]
            except OSError:
                continue
            if now and now == before:
                return now
            before = now
        return before
    finally:
        server.kill()
        server.wait()


print("tensorboard", tensorboard.__version__)
first, again = list(range(1, 11)), list(range(6, 11))
whole = [(step, float(step)) for step in first]
later = [(step, 100.0 + step) for step in again]
same = True
for start in (False, True):
    run = f"run-{start}"
    write(run, 0, first, False)
    write(run, 1, again, start)
    fast, slow = curve(run, "true"), curve(run, "false")
    print(f"session log {start}: {len(fast)} points with the fast loader, {len(slow)} with the other")
    same &= fast == whole[:5] + later and slow == whole + later
raise SystemExit(0 if same else "it behaves otherwise now")
PYTHON

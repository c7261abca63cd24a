"""Kill searches at random moments, resume them to their end, and compare their records.

python scripts/kills.py [--kills 100] [--seed 0] [--minutes M]

Searches of digits with one and with two workers run undisturbed, and then again with kills: at
random moments the driver, a worker or all processes get SIGKILL, SIGTERM, Ctrl-C, or SIGSTOP and
later SIGCONT. If that ends the search, `autogan search --resume` follows. Grid search, and random
search by the median rule in numbered order, promise the same trials in any case. Prints a row for
each kind of kill; exits with 1 if a record differs from the undisturbed one, a process, a lock or a
temporary file is left behind, a command hangs, or one ends with a wrong exit code.
"""

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

AUTOGAN = (sys.executable, "-m", "autogan")
SEARCH = (
    "search --dataset digits --gan-type dcgan --param width=8 --param dense_width=8 --steps 60 "
    "--evaluate-every 20 --features classifier --eval-samples 200 --device cpu --threads 1"
)
PLANS = {
    "grid": "--param learning_rate=2e-4,2e-3 --param d_iter=1,2 --search-method grid",
    "explore": "--param learning_rate=1e-4..1e-1:log --search-method explore --trials 5 "
    "--stopping median",
}
KINDS = (
    ("driver", signal.SIGKILL),
    ("worker", signal.SIGKILL),
    ("all", signal.SIGKILL),
    ("driver", signal.SIGTERM),
    ("driver", signal.SIGINT),
    ("driver", signal.SIGSTOP),
    ("worker", signal.SIGSTOP),
)
_LONGEST = 300.0  # seconds for a search to end
_STOPPED = 3.0  # seconds from SIGSTOP to SIGCONT
_MOST = 6  # most kills of one search
_BELIEVED = 2  # lost workers after which a trial is still retried
_TIMES = ("seconds", "at", "chain")
_MARK = "AUTOGAN_KILLS"  # in the environment of all processes of a search, its folder


def main() -> int:
    """Kill, resume, compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="number of kills [100]")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random moments [0]")
    parser.add_argument("--minutes", type=float, default=60.0, help="start no search later [60]")
    given = parser.parse_args()
    end = time.monotonic() + 60 * given.minutes
    chance = random.Random(given.seed)
    table: collections.Counter[tuple[str, str]] = collections.Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        wholes: dict[tuple[str, int], dict[int, list[dict[str, Any]]]] = {}
        searches = equal = 0
        while sum(table.values()) < given.kills and time.monotonic() < end:
            plan = list(PLANS)[(given.seed + searches // 2) % len(PLANS)]
            workers = 1 + (searches + 1) % 2
            if (plan, workers) not in wholes:
                begin, whole = time.monotonic(), Path(place) / f"{plan}-{workers}"
                run(whole, plan, workers).wait()
                usual = time.monotonic() - begin
                wholes[plan, workers] = outcome(whole)
            searches += 1
            root = Path(place) / f"{searches}"
            most = min(given.kills - sum(table.values()), _MOST)
            found = disturbed(root, plan, workers, usual, most, chance, table)
            if different := differences(wholes[plan, workers], outcome(root)):
                found += different
            else:
                equal += 1
            faults += [f"search {searches} ({plan}): {fault}" for fault in found]
            print(f"search {searches} ({plan}): {found or 'equal'}", file=sys.stderr, flush=True)
    print(f"{'who':8} {'signal':8} {'times':>5}")
    for (who, name), times in sorted(table.items()):
        print(f"{who:8} {name:8} {times:5}")
    print(
        f"{sum(table.values())} kills in {searches} searches, {equal} equal; {len(faults)} faults"
    )
    print("\n".join(faults))
    return 1 if faults else 0


def disturbed(
    root: Path,
    plan: str,
    workers: int,
    usual: float,
    most: int,
    chance: random.Random,
    table: "collections.Counter[tuple[str, str]]",
) -> list[str]:
    """Run a search to its end, with some kills in between; return the faults.

    Args:
        root: the search's folder.
        plan: its name in `PLANS`.
        workers: number of workers.
        usual: seconds that the search takes undisturbed.
        most: the most kills.
        chance: decides which process gets which signal, and when.
        table: counts the signals by their target.
    """
    faults = []
    driver = run(root, plan, workers)
    lost = 0
    for _ in range(most):
        time.sleep(chance.uniform(0, 0.7 * usual))
        who, number = chance.choice(KINDS)
        hands = children(driver.pid)
        if who == "worker" and number == signal.SIGKILL and lost == _BELIEVED:
            number = signal.SIGSTOP
        hand = [chance.choice(hands)] if hands else []
        # The driver first: it must not see its workers die and count their trials as lost again.
        targets = {"driver": [driver.pid], "worker": hand, "all": [driver.pid, *hands]}[who]
        if driver.poll() is not None:
            break
        name = signal.Signals(number).name
        for pid in targets:
            send(pid, number)
        table[who, name] += bool(targets)
        if number == signal.SIGSTOP:
            time.sleep(_STOPPED)
            for pid in targets:
                send(pid, signal.SIGCONT)
        elif who == "worker":
            lost += bool(targets)
        else:
            faults += ended(driver, root, f"{who} {name}")
            driver = run(root, plan, workers)
    faults += ended(driver, root, "its kills")
    if driver.returncode != 0 and lost:  # e.g. its worker was killed before the search had started
        driver = run(root, plan, workers)
        faults += ended(driver, root, "its last kill")
    if driver.returncode != 0:
        faults.append(f"ends with {driver.returncode}: {said(root)}")
    faults += [f"{path.name} is left behind" for path in root.rglob(".*.tmp")]
    return faults


def run(root: Path, plan: str, workers: int) -> "subprocess.Popen[bytes]":
    """Start a search, or resume it."""
    begun = (root / "search.yaml").exists()
    fresh = (*f"{SEARCH} {PLANS[plan]}".split(), "--run-dir", str(root))
    words = ("search", "--resume", str(root)) if begun else fresh
    with root.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(
            [*AUTOGAN, *words, "--workers", str(workers)],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, _MARK: str(root)},
        )


def ended(driver: "subprocess.Popen[bytes]", root: Path, what: str) -> list[str]:
    """Wait for a search and its processes; return faults: a hang, a left process, a refusal."""
    try:
        driver.wait(_LONGEST)
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.wait()
        return [f"hangs after {what}"]
    faults = [f"process {pid} still runs after {what}" for pid in marked(root) if stays(pid)]
    if driver.returncode == 2 or "Traceback" in said(root):
        faults.append(f"after {what}: {said(root)}")
    return faults


def said(root: Path) -> str:
    """The last 2,000 characters of the last command's log."""
    return root.with_suffix(".log").read_text(errors="replace")[-2000:]


def marked(root: Path) -> list[int]:
    """All processes of a search, including orphans."""
    mark = f"{_MARK}={root}".encode()
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
        except OSError:
            continue
    return found


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(words[1]) == pid:
            found.append(int(status.parent.name))
    return found


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended."""
    subprocess.run(["kill", f"-{number}", str(pid)], stderr=subprocess.DEVNULL, check=False)


def stays(pid: int) -> bool:
    """Whether a process still runs after ten seconds."""
    for _ in range(100):
        status = Path(f"/proc/{pid}/stat")
        try:
            if status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return False
        except OSError:
            return False
        time.sleep(0.1)
    return True


def outcome(root: Path) -> dict[int, list[dict[str, Any]]]:
    """Each trial's lines of the record without times, by trial number."""
    trials: dict[int, list[dict[str, Any]]] = {}
    if not (root / "trials.jsonl").exists():
        return trials
    for line in (root / "trials.jsonl").read_text().splitlines():
        fields = json.loads(line)
        if fields["record"] in ("started", "evaluation", "ended"):
            kept = {name: value for name, value in fields.items() if name not in _TIMES}
            trials.setdefault(fields["trial"], []).append(kept)
    return trials


def differences(
    whole: dict[int, list[dict[str, Any]]], disturbed: dict[int, list[dict[str, Any]]]
) -> list[str]:
    """The differences of a disturbed search from the whole one, a line for each trial."""
    found = []
    for number in sorted({*whole, *disturbed}):
        wanted, came = whole.get(number, []), disturbed.get(number, [])
        other = [line for line in came if line not in wanted]
        missing = [line for line in wanted if line not in came]
        if wanted != came:
            found.append(f"trial {number}: {other or came} for {missing or wanted}")
    return found


if __name__ == "__main__":
    sys.exit(main())

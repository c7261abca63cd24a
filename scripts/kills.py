"""Kill searches at random moments, resume them to their end, and compare their records.

python scripts/kills.py [--kills 100] [--seed 0]

Searches of digits with one and with two workers are run undisturbed, and then again: at each random
moment the driver, a worker or all processes get SIGKILL, SIGTERM, Ctrl-C, or SIGSTOP and a while
later SIGCONT. What ends the search is followed by `autogan search --resume`. Prints a row for each
kind; exits with 1 if a record differs from the undisturbed one, a process stays or a search hangs.
"""

import argparse
import collections
import json
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
    "search", "--dataset", "digits", "--gan-type", "dcgan", "--param", "width=8",
    "--param", "dense_width=8", "--param", "learning_rate=2e-4,2e-3", "--param", "d_iter=1,2",
    "--search-method", "grid", "--steps", "60", "--evaluate-every", "20",
    "--eval-samples", "200", "--device", "cpu", "--threads", "1", "--quiet",
)  # fmt: skip
KINDS = (
    ("driver", signal.SIGKILL), ("worker", signal.SIGKILL), ("all", signal.SIGKILL),
    ("driver", signal.SIGTERM), ("driver", signal.SIGINT),
    ("driver", signal.SIGSTOP), ("worker", signal.SIGSTOP),
)  # fmt: skip
_LONGEST = 300.0  # seconds for a search to end
_STOPPED = 3.0  # seconds from SIGSTOP to SIGCONT
_TIMES = ("seconds", "at", "chain")


def main() -> int:
    """Kill, resume, compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="how many [100]")
    parser.add_argument("--seed", type=int, default=0, help="of the moments [0]")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    table: collections.Counter[tuple[str, str]] = collections.Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place) / "whole"
        begin = time.monotonic()
        run(whole, 1).wait()
        usual = time.monotonic() - begin
        searches = 0
        while sum(table.values()) < given.kills:
            searches += 1
            root = Path(place) / f"{searches}"
            left = given.kills - sum(table.values())
            faults += disturbed(root, 1 + searches % 2, usual, left, chance, table)
            if not (root / "trials.jsonl").exists():
                faults.append(f"search {searches} did not begin")
            elif outcome(root) != outcome(whole):
                faults.append(f"search {searches} came to another record")
    print(f"{'who':8} {'signal':8} {'times':>5}")
    for (who, name), times in sorted(table.items()):
        print(f"{who:8} {name:8} {times:5}")
    print(f"{sum(table.values())} kills in {searches} searches, {len(faults)} faults")
    print("\n".join(faults))
    return 1 if faults else 0


def disturbed(
    root: Path,
    workers: int,
    usual: float,
    most: int,
    chance: random.Random,
    table: "collections.Counter[tuple[str, str]]",
) -> list[str]:
    """Run a search to its end with up to four kills on the way; returns what went wrong.

    Args:
        root: its folder.
        workers: how many it has.
        usual: seconds that it takes undisturbed.
        most: kills at most.
        chance: decides who gets what, and when.
        table: counts who got which signal.
    """
    faults = []
    driver = run(root, workers)
    for _ in range(min(most, 4)):
        time.sleep(chance.uniform(0, 0.8 * usual))
        who, number = chance.choice(KINDS)
        hands = children(driver.pid)
        targets = {"driver": [driver.pid], "worker": hands[:1], "all": [*hands, driver.pid]}[who]
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
        elif who != "worker":
            faults += ended(driver, f"{who} {name}")
            faults += [f"worker {pid} stays after {who} {name}" for pid in hands if stays(pid)]
            driver = run(root, workers)
    faults += ended(driver, "its kills")
    if driver.returncode != 0:  # its worker was killed before the search had begun, say
        driver = run(root, workers)
        faults += ended(driver, "its last kill")
    return faults


def run(root: Path, workers: int) -> "subprocess.Popen[bytes]":
    """Begin a search, or resume it."""
    begun = (root / "search.yaml").exists()
    words = ("search", "--resume", str(root)) if begun else (*SEARCH, "--run-dir", str(root))
    return subprocess.Popen(
        [*AUTOGAN, *words, "--workers", str(workers)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def ended(driver: "subprocess.Popen[bytes]", what: str) -> list[str]:
    """Wait for a search; what went wrong if it hangs."""
    try:
        driver.wait(_LONGEST)
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.wait()
        return [f"hangs after {what}"]
    return []


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
    """Send a signal to a process that may be gone."""
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
    """What each trial came to, whatever the order: its lines of the record without times."""
    trials: dict[int, list[dict[str, Any]]] = {}
    for line in (root / "trials.jsonl").read_text().splitlines():
        fields = json.loads(line)
        if fields["record"] in ("started", "evaluation", "ended"):
            kept = {name: value for name, value in fields.items() if name not in _TIMES}
            trials.setdefault(fields["trial"], []).append(kept)
    return trials


if __name__ == "__main__":
    sys.exit(main())

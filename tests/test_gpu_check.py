"""The check of a machine with a GPU: its parts, on the CPU of this one."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts/gpu_check.py"


@pytest.fixture
def gpu_check():
    spec = importlib.util.spec_from_file_location("gpu_check", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checked(module, monkeypatch, parts, *words):
    """The exit status and the file of a check of other parts."""
    monkeypatch.setattr(module, "PARTS", parts)
    monkeypatch.setattr(module, "SHARES", dict.fromkeys(parts, 1.0))
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", *words])
    with pytest.raises(SystemExit) as ended:
        module.main()
    return ended.value.code, json.loads(Path("gpu_check.json").read_text())


def test_a_part_that_fails_is_told_and_the_others_go_on(gpu_check, monkeypatch, capsys):
    def fails(options):
        yield {"a": 1}
        raise RuntimeError("no such device\nand more")

    parts = {"first": fails, "second": lambda options: iter([{"b": 2}])}
    code, found = checked(gpu_check, monkeypatch, parts)
    assert code == 1
    assert found["first"]["rows"] == [{"a": 1}]
    assert found["first"]["failed"].startswith("RuntimeError: no such device")
    assert found["second"] == {"rows": [{"b": 2}]}
    assert "failed: first: RuntimeError: no such device" in capsys.readouterr().out


def test_a_part_that_takes_too_long_is_ended(gpu_check, monkeypatch):
    def hangs(options):
        yield {"a": 1}
        time.sleep(60)

    code, found = checked(gpu_check, monkeypatch, {"one": hangs}, "--minutes", "0.005")
    assert code == 1
    assert found["one"] == {"rows": [{"a": 1}], "failed": "ran longer than its 0.0 minutes"}


def test_all_well_is_0(gpu_check, monkeypatch):
    code, found = checked(gpu_check, monkeypatch, {"one": lambda options: iter([{"a": 1}])})
    assert (code, found) == (0, {"one": {"rows": [{"a": 1}]}})


@pytest.mark.slow
def test_its_parts_run_on_a_cpu(tmp_path):
    command = [sys.executable, SCRIPT, "--device", "cpu", "--quick"]
    parts = ("machine", "steps", "workers")
    subprocess.run([*command, "--minutes", "30", *parts], check=True, cwd=tmp_path)
    found = json.loads((tmp_path / "gpu_check.json").read_text())
    assert found.keys() == set(parts)
    assert found["machine"]["rows"][-1]["device"] == "cpu"
    kinds = [(row["compiler"], row["precision"]) for row in found["steps"]["rows"]]
    assert kinds == [("graph", "float32"), ("xla", "float32"), ("graph", "bfloat16")]
    assert all(row["step_ms"] > 0 and row["evaluation_s"] > 0 for row in found["steps"]["rows"])
    assert [row["workers"] for row in found["workers"]["rows"]] == [1, 2]


def test_packages_come_from_the_folder_that_is_named(tmp_path):
    """The launcher gives pip the folder and no network, and the rest to the check."""
    scripts = tmp_path / "clone/scripts"
    python = tmp_path / "clone/.venv/bin/python"
    python.parent.mkdir(parents=True)
    scripts.mkdir()
    (scripts / "gpu_check").write_text((SCRIPT.parent / "gpu_check").read_text())
    (scripts / "setup").write_text('#!/bin/sh\necho "$@ $PIP_FIND_LINKS $PIP_NO_INDEX"\n')
    python.write_text('#!/bin/sh\necho "$@"\n')
    for path in (scripts / "gpu_check", scripts / "setup", python):
        path.chmod(0o755)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    command = ["bash", scripts / "gpu_check", "--wheels", wheels, "--minutes", "4"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"gpu,optuna {wheels} 1", "scripts/gpu_check.py --minutes 4",
    ]  # fmt: skip

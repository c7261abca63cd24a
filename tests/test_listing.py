"""`autogan list`: what can be chosen, and what there is below ./runs."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import FakeEngine

import autogan
from autogan.cli.main import main
from autogan.config import packaged_configs
from autogan.models import GAN_TYPES
from autogan.record.ledger import Ledger
from autogan.search import State, Trial

GRID = {
    "dataset": "digits",
    "search_method": "grid",
    "params": {"learning_rate": [1e-4, 4e-4, 1e-3]},
}
KINDS = (
    "gan-types",
    "datasets",
    "criteria",
    "search-methods",
    "stopping-rules",
    "formats",
    "trackers",
    "configs",
)


@pytest.fixture
def listed(capsys):
    def printed(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main(["list", *arguments])
        captured = capsys.readouterr()
        assert exit_.value.code == 0, captured.err
        return json.loads(captured.out) if "--json" in arguments else captured.out.splitlines()

    return printed


def test_the_first_look_is_a_line_for_each_kind(listed):
    lines = listed()
    assert [line.split()[0] for line in lines[: len(KINDS)]] == list(KINDS)
    assert lines[0].split(maxsplit=1)[1] == ", ".join(GAN_TYPES.names())
    assert "dcgan_digits" in lines[len(KINDS) - 1]
    assert lines[len(KINDS)] == ""
    for line in lines[len(KINDS) + 1 :]:  # what is said there can be done
        listed(*line.partition("autogan list ")[2].split())
    everything = listed("--json")
    assert tuple(everything) == KINDS
    assert all(everything[kind] == listed(kind, "--json") for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_a_line_for_each_name(listed, kind):
    names = listed()[KINDS.index(kind)].split(maxsplit=1)[1].split(", ")
    lines = listed(kind)
    assert [line.replace(" (", ":").partition(":")[0] for line in lines] == names
    assert all(len(line) > len(name) + 10 for line, name in zip(lines, names, strict=True))
    values = listed(kind, "--json")
    assert (list(values) if kind == "configs" else [part["name"] for part in values]) == names
    for line, name in zip(lines, names, strict=True):
        if kind != "configs":
            assert listed(name)[0] == line


def test_what_is_known_of_one(listed):
    h = next(h for h in GAN_TYPES.get("wgan").hyperparameters if h.name == "clip")
    lines = listed("wgan")
    place = lines.index(f"  clip = {h.default}  ({h.limits()})")
    assert lines[place + 1] == f"      {h.meaning}"
    assert lines[place + 2].startswith("      searched by default: ")
    (values,) = listed("wgan", "--json")
    (clip,) = [h for h in values["hyperparameters"] if h["name"] == "clip"]
    assert clip["default"] == h.default
    assert values["fixed"]["penalty"] == "clipping"
    assert any(line.startswith("  fixed: loss wasserstein, ") for line in lines)
    (beta1,) = [h for h in values["hyperparameters"] if h["name"] == "beta1"]
    assert beta1["under"] == {"optimizer": ["adam"]}
    place = next(n for n, line in enumerate(lines) if line.startswith("  beta1 = "))
    assert lines[place + 2] == "      only with optimizer adam"
    assert "(lower is better)" in listed("fid")[0]
    assert "(higher is better)" in listed("label-accuracy")[0]
    assert listed("label-accuracy")[1:] == [
        "  needs images made for known classes",
        "  needs features with logits",
    ]
    assert listed("ms-ssim")[1:] == ["  compares the images themselves, of one size"]
    assert listed("digits")[1:] == ["  default feature network: classifier"]
    assert listed("grid")[1:] == [
        "  needs a list of candidates for each hyperparameter, not a range"
    ]
    assert listed("explore")[1:] == []


def test_configurations_say_their_command_and_one_sentence(listed):
    configs = packaged_configs()
    for line, (name, path) in zip(listed("configs"), configs.items(), strict=True):
        command = path.read_text().split()[2]
        assert command in ("search", "train")
        head, _, said = line.partition("): ")
        assert head == f"{name} ({command}"
        comment = " ".join(path.read_text().partition("\ngan_type")[0].split("\n# ")[1:])
        assert comment.startswith(said)
        assert comment[len(said) :][:2] in (". ", ".")
    assert listed("dcgan-digits") == configs["dcgan_digits"].read_text().splitlines()
    assert listed("dcgan_digits", "--json") == {"dcgan_digits": configs["dcgan_digits"].read_text()}


def test_runs_are_told_from_their_records(listed, tmp_path):
    assert listed("runs") == [f"there are no runs in {tmp_path / 'runs'}"]
    result = autogan.run_search({**GRID, "run_dir": "runs/a"}, engine=FakeEngine())
    best = result.best
    several = {**GRID, "criterion": "fid,is", "run_dir": "runs/b"}
    autogan.run_search(several, engine=FakeEngine())
    autogan.run_search({**GRID, "run_dir": "runs/c"}, engine=FakeEngine())
    record = Path("runs/c/trials.jsonl")
    begun = record.read_text().splitlines(keepends=True)
    record.write_text("".join(begun[:3]))  # killed in its first trial
    assert [trial.value for trial in Ledger(record).trials] == [None]
    a, b, c = listed("runs")
    assert a == (
        f"runs/a: gan on digits, ended, 3 trials, best fid {best.value:.6g} in trial {best.number}"
    )
    assert b.startswith("runs/b: gan on digits, ended, 3 trials, best in trial ")
    assert c == "runs/c: gan on digits, unfinished, 1 trial"
    assert listed("runs", "--json")[0] == {
        "folder": "runs/a", "gan_type": "gan", "dataset": "digits", "trials": 3,
        "criterion": "fid", "best": best.number, "value": best.value, "state": "ended",
    }  # fmt: skip


def test_trainings_are_runs_too(listed):
    for name in ("done", "killed"):
        autogan.train({"dataset": "digits", "run_dir": f"runs/{name}"}, engine=FakeEngine())
        config = "gan_type: wgan\ndataset: digits\n"
        Path(f"runs/{name}/config.yaml").write_text(config)  # which the fake leaves out
    assert listed("runs")[0] == "runs/done: wgan on digits, unfinished"
    ended = dataclasses.asdict(Trial(0, {}, state=State.COMPLETE, value=3.25))
    Path("runs/done/result.json").write_text(json.dumps(ended))
    assert listed("runs") == [
        "runs/done: wgan on digits, ended, best fid 3.25",
        "runs/killed: wgan on digits, unfinished",
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"search.yaml": "[1"},
        {"search.yaml": "gan_type: nosuch"},
        {"search.yaml": "criterion: other:Part"},
        {"search.yaml": "", "trials.jsonl": "{}\n"},
        {"config.yaml": "", "result.json": "["},
        {"config.yaml": "", "result.json": "[]"},
        {"config.yaml": "", "result.json": '{"state": 5}'},
        {"config.yaml": "", "result.json": '{"value": "low"}'},
        {"config.yaml/x": ""},
        {"notes.txt": "", "trials.jsonl": "{}\n"},
    ],
)
def test_foreign_folders_do_no_harm(listed, files):
    autogan.run_search({**GRID, "run_dir": "runs/z"}, engine=FakeEngine())
    Path("runs/file").write_text("")
    for name, text in files.items():
        path = Path("runs/foreign") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    *first, last = listed("runs")
    assert last.startswith("runs/z: gan on digits, ended")
    assert all(line.startswith("runs/foreign: cannot be read: ") for line in first)
    assert len(first) == (0 if {"notes.txt", "config.yaml/x"} & set(files) else 1)


def test_listing_runs_needs_no_tensorflow():
    autogan.run_search({**GRID, "run_dir": "runs/a"}, engine=FakeEngine())
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from autogan.cli.main import main; main(['list', 'runs'])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert made.stderr == ""
    assert made.stdout.startswith("runs/a: gan on digits, ended, 3 trials, best fid ")

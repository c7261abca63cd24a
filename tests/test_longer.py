"""Training on what has ended: the same bits as a longer training, and the record stays true."""

import json
import shutil

import numpy as np
import pytest
from sessions import SessionEngine

import autogan
from autogan.core.errors import ConfigError, Interrupted
from autogan.core.files import read_arrays
from autogan.search import State

COMMON = {
    "dataset": "digits", "gan_type": "cgan", "criterion": "fid", "eval_samples": 60,
    "features": "random", "evaluate_every": 4,
    "params": {"width": 8, "dense_width": 16, "batch_size": 8, "ema": 0.9},
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root, engine = tmp_path_factory.mktemp("runs"), SessionEngine()
    for steps in (8, 16):
        autogan.train({**COMMON, "steps": steps, "run_dir": root / f"s{steps}"}, engine=engine)
    many = {**COMMON["params"], "learning_rate": [1e-4, 1e-3, 2e-3, 4e-3, 8e-3]}
    autogan.run_search(
        {**COMMON, "steps": 8, "params": many, "search_method": "grid", "run_dir": root / "many"},
        engine=engine,
    )  # fmt: skip
    return root


def same_training(a, b):
    for name in ("last.npz", "best.npz", "state.npz"):
        one, two = (read_arrays(root / "checkpoints" / name) for root in (a, b))
        one.pop("progress", None), two.pop("progress", None)
        assert one.keys() == two.keys()
        assert all(np.array_equal(one[key], two[key]) for key in one)
    assert (a / "scores.jsonl").read_text() == (b / "scores.jsonl").read_text()
    names = [sorted(path.name for path in (root / "samples").iterdir()) for root in (a, b)]
    assert names[0] == names[1]
    for name in names[0]:
        assert (a / "samples" / name).read_bytes() == (b / "samples" / name).read_bytes()


@pytest.mark.usefixtures("in_process")
class TestLonger:
    def test_it_comes_to_the_bits_of_a_longer_training(self, runs, tmp_path):
        shutil.copytree(runs / "s8", tmp_path / "a")
        result = autogan.train_longer(tmp_path / "a", steps=16)
        assert (result.trial.state, result.trial.steps) == (State.COMPLETE, 16)
        same_training(tmp_path / "a", runs / "s16")
        assert "run_dir" not in (tmp_path / "a/config.yaml").read_text()  # it can be trained again

    def test_interrupted_it_goes_on(self, runs, tmp_path, monkeypatch):
        from autogan.worker import trial

        monkeypatch.setattr(trial, "_STEPS_PER_CALL", 2)
        shutil.copytree(runs / "s8", tmp_path / "a")
        engine = SessionEngine()
        going = engine.interrupted
        engine.interrupted = lambda: True
        with pytest.raises(Interrupted):
            autogan.train_longer(tmp_path / "a", steps=16, engine=engine)
        shown = autogan.load(tmp_path / "a").trial
        assert shown.state is State.RUNNING
        assert [e.step for e in shown.evaluations][:2] == [4, 8]
        engine.interrupted = going
        autogan.train_longer(tmp_path / "a", steps=16, engine=engine)
        same_training(tmp_path / "a", runs / "s16")

    def test_a_search_keeps_its_winners_state_alone(self, runs):
        result = autogan.load(runs / "many")
        kept = [path.parts[-3] for path in runs.glob("many/trials/*/checkpoints/state.npz")]
        assert [name[:4] for name in kept] == [f"{result.best.number:04d}"]

    def test_a_winner_goes_on_in_a_folder_of_its_own(self, runs, command, tmp_path):
        shutil.copytree(runs / "many", tmp_path / "many", symlinks=True)
        before = {
            path: path.read_bytes() for path in (tmp_path / "many").rglob("*")
            if path.is_file() and path.name not in (".lock", ".workers")
        }  # fmt: skip
        best = autogan.load("many").best
        code, out, _ = command("train", "many", "--resume", "--steps", "16", "--json")
        assert code == 0
        assert json.loads(out)["steps"] == 16
        longer = autogan.load("runs/many-longer")
        assert [e.scores for e in longer.trial.evaluations[:2]] == [
            e.scores for e in best.evaluations
        ]
        assert (tmp_path / "runs/many-longer/real.png").exists()
        assert all(path.read_bytes() == content for path, content in before.items())
        assert autogan.check("many").difference == ""
        assert not list(tmp_path.glob("runs/.*"))
        # A seed and hyperparameters come to the same as trained at once.
        anew = {**COMMON, "steps": 16, "seed": best.seed, "run_dir": "anew",
                "params": {**COMMON["params"], **best.params}}  # fmt: skip
        autogan.train(anew)
        same_training(tmp_path / "runs/many-longer", tmp_path / "anew")
        # And that can be trained on where it is.
        assert command("train", "runs/many-longer", "--resume", "--steps", "20")[0] == 0

    def test_the_feature_network_of_the_search_goes_along(self, tmp_path):
        own = {**COMMON, "features": "classifier", "steps": 4, "run_dir": "few"}
        found = autogan.run_search({**own, "trials": 1, "search_method": "random"})
        longer = autogan.train_longer("few", steps=8, run_dir="elsewhere")
        assert (tmp_path / "elsewhere/features.npz").exists()
        assert longer.trial.evaluations[0].scores == found.best.evaluations[0].scores

    def test_what_cannot_go_on(self, runs, command, tmp_path):
        many = runs / "many"
        best = autogan.load(many).best.number
        other = next(p for p in sorted(many.glob("trials/*")) if int(p.name[:4]) != best)
        shutil.copytree(runs / "s8", tmp_path / "dead")
        result = json.loads((tmp_path / "dead/result.json").read_text())
        dead = {**result, "state": "diverged", "reason": "a loss became NaN"}
        (tmp_path / "dead/result.json").write_text(json.dumps(dead))
        for words, start in (
            (("nowhere", "--resume"), "config: nowhere"),
            ((runs / "s8",), f"config: {runs / 's8'} is a folder; to train longer, add "
             f"--resume --steps STEPS; to train again, give {runs / 's8'}/config.yaml"),
            ((runs / "s8", "--resume"), "steps: give --steps or --epochs"),
            ((runs / "s8", "--resume", "--steps", "8"), f"steps: 8, and {runs / 's8'} was trained "
             "for 8; give more"),
            ((other, "--resume", "--steps", "16"), f"config: {other} has no saved state"),
            (("dead", "--resume", "--steps", "16"), f"config: {tmp_path}/dead diverged (a loss"),
            ((many, "--resume", "--steps", "16", "--gan-type", "dcgan"), "gan_type: does not"),
            ((many, "--resume", "--steps", "16", "--seeds", "2"), "seeds: does not apply"),
            ((many, "--resume", "--steps", "no"), "steps: 'no': "),
            ((many, "--resume", "--steps", "16", "--run-dir", runs / "s8"),
             f"run_dir: {runs / 's8'} holds a run; resume it with"),
        ):  # fmt: skip
            code, out, err = command("train", *words)
            assert (code, out, err.count("\n")) == (2, "", 1), words
            assert err.startswith(f"autogan: {start}"), (words, err)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["dead"]

    def test_networks_from_data_are_not_loaded_unasked(self, runs, tmp_path):
        shutil.copytree(runs / "s8", tmp_path / "a")
        path = tmp_path / "a/config.yaml"
        path.write_text(path.read_text().replace("features: random", "features: /tmp/net"))
        with pytest.raises(ConfigError, match="features: .* names .*--features /tmp/net"):
            autogan.train_longer(tmp_path / "a", steps=16)
        assert (tmp_path / "a/result.json").exists()

"""The command line as a user meets it: real processes, real TensorFlow, tiny networks."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import yaml
from fakes import told
from labels import plain
from PIL import Image

import autogan
from autogan.cli.main import main
from autogan.config import SearchConfig, TrainConfig
from autogan.core.invocation import command
from autogan.run.opening import dataset_or_folder

TINY = ("--gan-type", "dcgan", "--param", "width=4", "--param", "dense_width=8",
        "--param", "z_dim=4", "--steps", "40", "--evaluate-every", "20",
        "--eval-samples", "200")  # fmt: skip
SEARCH = ("search", *TINY, "--param", "learning_rate=2e-4,2e-3", "--search-method", "grid",
          "--also", "is,js_is,wd", "--device", "cpu", "--workers", "1")  # fmt: skip


def autogan_process(*arguments, **kwargs):
    return subprocess.Popen(
        [sys.executable, "-m", "autogan", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs,
    )  # fmt: skip


def run(*arguments, code=0, **kwargs):
    process = autogan_process(*arguments, **kwargs)
    out, err = process.communicate()
    assert process.returncode == code, err
    return out, err


def refused(capsys, *arguments, code=2):
    """Run in this process; return the one line of error."""
    with pytest.raises(SystemExit) as exit_:
        main(list(arguments))
    assert exit_.value.code == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    return captured.err


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """One real search, run without disturbance."""
    folder = tmp_path_factory.mktemp("searched")
    process = autogan_process(*SEARCH, cwd=folder)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return folder, out, err


def test_a_search_prints_its_result_and_leaves_its_folder(searched, monkeypatch):
    folder, out, err = searched
    monkeypatch.chdir(folder)  # a printed command is one for the folder that it was printed in
    root = folder / "runs" / "dcgan-digits"
    best = yaml.safe_load((root / "best.yaml").read_text())
    assert f"learning_rate = {best['params']['learning_rate']}" in out
    assert "fid_classifier_200 = " in plain(out)
    assert "unseen real" in out
    assert command("autogan", "train", "runs/dcgan-digits/best.yaml") in out
    assert f"{command('tensorboard', '--logdir', 'runs/dcgan-digits/trials')}\n" in out
    assert "trial 0 (1 of 2)  learning_rate=0.0002" in err
    noise = ("oneDNN", "cuda", "WARNING", "absl", "rebuild TensorFlow")
    assert not [word for word in noise if word in err]
    assert {p.name for p in root.iterdir()} == {
        ".lock", ".workers", "best", "best.yaml", "features.npz", "real.png", "report.html",
        "search.yaml", "trials", "trials.jsonl",
    }  # fmt: skip
    trial = {p.name.split(".tfevents")[0] for p in (root / "best").iterdir()}
    assert trial == {
        "checkpoints", "config.yaml", "events.out", "result.json", "samples", "scores.jsonl"
    }  # fmt: skip


def test_tensorboard_shows_the_trials_and_nothing_else(searched):
    """Of the folder that is printed: neither the link to the best nor the search is a run."""
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins.hparams.metadata import parse_experiment_plugin_data

    folder, out, _ = searched
    logs = out.split("--logdir ")[1].splitlines()[0]
    runs = EventMultiplexer().AddRunsFromDirectory(str(folder / logs)).Reload()
    metadata = runs.AllSummaryMetadata()
    assert set(metadata) == {"0000-learning_rate=0.0002", "0001-learning_rate=0.002"}
    for found in metadata.values():
        assert "_hparams_/session_start_info" in found
        content = found["_hparams_/experiment"].plugin_data.content
        experiment = parse_experiment_plugin_data(content)
        assert [info.name for info in experiment.hparam_infos] == ["learning_rate"]
        tags = {info.display_name: info.name.tag for info in experiment.metric_infos}
        assert tags.keys() == {"best fid", "last fid", "last is", "last js_is", "last wd"}
        assert plain(tags["best fid"]) == "best/fid_classifier_200"
        assert plain(tags["last wd"]) == "criteria/wd_classifier_200"
        assert set(tags.values()) <= set(found)


@pytest.mark.slow
def test_killed_and_resumed_it_gives_the_same(searched, tmp_path):
    """SIGKILL after the first evaluation, then resume: the same ledger as without."""
    process = autogan_process(*SEARCH)
    for line in process.stderr:
        if "step 20/" in line:
            break
    process.kill()
    process.communicate()
    root = tmp_path / "runs" / "dcgan-digits"
    assert [r["record"] for r in told(root)][:4] == ["search", "limits", "started", "evaluation"]
    assert (root / "trials" / "0000-learning_rate=0.0002" / "checkpoints" / "state.npz").exists()
    run("search", "--resume", str(root))
    whole = searched[0] / "runs" / "dcgan-digits"
    assert told(root) == told(whole)
    assert (root / "best.yaml").read_text() == (whole / "best.yaml").read_text()


def bits(root):
    """Everything that the trials of a search came to."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for name in ("best.npz", "last.npz", "scores.jsonl")
        for path in root.glob(f"trials/*/**/{name}")
    }


@pytest.mark.slow
def test_two_workers_come_to_the_bits_of_one_though_they_are_killed(tmp_path):
    """Each trial's bits depend on the threads, not on who ran it, beside what or how often."""
    grid = (*SEARCH, "--threads", "1", "--param", "d_iter=1,2")
    run(*grid, "--run-dir", "one")
    process = autogan_process(*grid, "--workers", "2", "--run-dir", "two")
    for line in process.stderr:
        if "trial 1: step 20/" in line:
            break
    process.kill()
    process.communicate()
    run("search", "--resume", "two", "--workers", "1")
    assert bits(tmp_path / "one") == bits(tmp_path / "two")
    assert len(bits(tmp_path / "one")) == 12
    assert (tmp_path / "one/best.yaml").read_text().splitlines()[1:] == (
        (tmp_path / "two/best.yaml").read_text().splitlines()[1:]
    )
    assert autogan.check(tmp_path / "two").difference == ""


@pytest.mark.slow
def test_a_folder_that_is_moved_at_an_evaluation_ends_the_search(tmp_path):
    """In one line, and nothing is made again where it was; moved back, the search goes on."""
    root, moved = tmp_path / "runs" / "dcgan-digits", tmp_path / "moved"
    process = autogan_process(*SEARCH, "--steps", "100000", "--evaluate-every", "20")
    for line in process.stderr:
        if "step 20/" in line:
            root.rename(moved)
            break
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "runs/dcgan-digits/trials.jsonl is gone; move the run's folder back" in err
    assert not root.exists()
    moved.rename(root)
    assert autogan.check(root).difference == ""


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_says_how_to_go_on(tmp_path):
    process = autogan_process(*SEARCH, "--steps", "100000", "--evaluate-every", "20")
    for line in process.stderr:
        if "step 20/" in line:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.splitlines()[-1] == (
        "autogan: stopped; resume with: "
        + command("autogan", "search", "--resume", "runs/dcgan-digits")
    )


def test_a_folder_in_use_is_refused(searched):
    """The first command waits for its worker; the second finds the lock."""
    process = autogan_process(*SEARCH, "--steps", "100000", "--run-dir", "busy")
    for line in process.stderr:
        if "trial 0" in line:
            break
    try:
        _, err = run("search", "--resume", "busy", code=2)
        assert err.splitlines()[-1].startswith("autogan: run_dir: busy is in use by another")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_training_the_best_configuration_gives_its_score(searched):
    folder, out, _ = searched
    best = folder / "runs" / "dcgan-digits" / "best.yaml"
    out, _ = run("train", str(best), "--run-dir", "again", "--json")
    result = json.loads((folder / "runs" / "dcgan-digits" / "best" / "result.json").read_text())
    assert json.loads(out)["value"] == result["value"]
    assert json.loads(out)["evaluations"] == result["evaluations"]


def printed(capsys, *arguments):
    """Run in this process; return what was printed."""
    with pytest.raises(SystemExit) as exit_:
        main(list(arguments))
    captured = capsys.readouterr()
    assert exit_.value.code == 0, captured.err
    return captured.out


def evaluated(judged):
    """What `evaluate` says of a generator that was judged."""
    named = {"unseen": "floor", "spread_unseen": "floor_spread", "spread": "spread"}
    more = {f"{name}_{label}": v for name, key in named.items() for label, v in judged[key].items()}
    others = {**judged["test"], **(judged["fewer"] or {}), **judged["more"]}
    return {**judged["scores"], **others, **more}


def test_the_best_is_judged_by_latent_vectors_that_did_not_choose_it(searched):
    """The end of the search tells what `evaluate` tells, on both splits."""
    root = searched[0] / "runs" / "dcgan-digits"
    result = json.loads((root / "best" / "result.json").read_text())
    chosen = next(e["scores"] for e in result["evaluations"] if e["step"] == result["step"])
    judged = told(root)[-1]
    assert (judged["record"], judged["step"]) == ("judged", result["step"])
    assert judged["scores"].keys() == chosen.keys()
    assert all(judged["scores"][label] != score for label, score in chosen.items())
    out, _ = run("evaluate", str(root / "best"), "--json")
    assert json.loads(out) == evaluated(judged)


@pytest.mark.usefixtures("in_process")
def test_a_search_keeps_its_scale_when_the_cache_goes(searched, tmp_path, monkeypatch, capsys):
    """The classifier's weights lie with the run: the labels, which tell them, are the same."""
    root = str(searched[0] / "runs" / "dcgan-digits")
    monkeypatch.setattr("autogan.worker.scoring._MANY", 10_000)  # as in the search's worker
    monkeypatch.setenv("AUTOGAN_CACHE", str(tmp_path / "cache"))
    judged = told(searched[0] / "runs" / "dcgan-digits")[-1]
    again = json.loads(printed(capsys, "evaluate", root, "--json"))
    assert again == pytest.approx(evaluated(judged), rel=1e-2)
    assert judged["copies"].keys() == {"authenticity", "c_t"}
    assert not list(tmp_path.glob("cache/**/classifiers/*"))
    other = json.loads(printed(capsys, "evaluate", root, "--seed", "1", "--json"))
    assert other.keys() == again.keys()
    assert other != again


@pytest.mark.usefixtures("in_process")
def test_evaluating_and_sampling_the_best(searched, tmp_path, capsys):
    root = str(searched[0] / "runs" / "dcgan-digits")
    out = printed(capsys, "sample", root, "--count", "9", "--output", "grid.png")
    assert out == "grid.png\n"
    with Image.open("grid.png") as grid:
        assert grid.size == (176, 176)  # 8 pixels enlarged to 56, gaps of 2
    before = (tmp_path / "grid.png").read_bytes()
    message = refused(capsys, "sample", root, "--output", "grid.png")
    assert message == "autogan: output: grid.png exists; give another name, or --overwrite\n"
    assert (tmp_path / "grid.png").read_bytes() == before
    printed(capsys, "sample", root, "--output", "grid.png", "--seed", "1", "--overwrite")
    with Image.open("grid.png") as grid:
        assert grid.size == (466, 466)
    for flags, name in ((), ""), (("--seed", "2"), "-2"), ((), "-3"), (("--overwrite",), ""):
        out = printed(capsys, "sample", root + "/best", *flags)
        assert out == f"samples-dcgan-digits{name}.png\n"
    printed(capsys, "sample", root, "--count", "30", "--output", "single")
    assert len(list((tmp_path / "single").iterdir())) == 30
    message = refused(capsys, "sample", root, "--output", "single")
    assert message.startswith("autogan: output: single is not empty")

    out = printed(capsys, "evaluate", "single", "--reference", "digits", "--criterion", "is,fid",
                  "--json")  # fmt: skip
    assert list(plain(json.loads(out))) == ["is_classifier_30", "fid_classifier_30"]
    best, last = (
        plain(json.loads(printed(capsys, "evaluate", root, "--checkpoint", name, "--json")))
        for name in ("best", "last")
    )
    result = json.loads((searched[0] / "runs/dcgan-digits/best/result.json").read_text())
    # Sampling needs no dataset: here it is not to be had.
    config = searched[0] / "runs/dcgan-digits/best/config.yaml"
    (tmp_path / "moved" / "checkpoints").mkdir(parents=True)
    (tmp_path / "moved" / "config.yaml").write_text(
        config.read_text().replace("dataset: digits", "dataset: folder:gone")
    )
    shutil.copy(config.parent / "checkpoints/best.npz", tmp_path / "moved/checkpoints/best.npz")
    assert printed(capsys, "sample", "moved", "--count", "2") == "samples-moved.png\n"
    assert best["fid_classifier_200"] == pytest.approx(result["value"], rel=0.1)
    assert last["fid_classifier_200"] == pytest.approx(result["last_value"], rel=0.1)
    assert best["fid_classifier_200_test"] > 0


@pytest.mark.usefixtures("in_process")
def test_two_folders_as_the_usual_tools_compare_them(tmp_path, capsys):
    import tensorflow as tf

    module = tf.Module()
    module.kernel = tf.Variable(tf.random.stateless_normal([3, 4], [0, 0]))
    spec = tf.TensorSpec([None, 24, 24, 3], tf.float32)

    def call(images):
        pool = tf.reduce_mean(images, axis=[1, 2]) @ module.kernel
        return {"logits": pool, "pool_3": pool}

    module.__call__ = tf.function(call, input_signature=[spec])
    tf.saved_model.save(module, "net")
    rng = np.random.default_rng(0)
    for name, side in (("a", 40), ("b", 17)):  # not squares of a GAN's sizes
        (tmp_path / name).mkdir()
        for i in range(5):
            Image.fromarray(rng.integers(0, 256, (side, 20, 3)).astype(np.uint8)).save(
                tmp_path / name / f"{i}.png"
            )
    out = printed(capsys, "evaluate", "a", "--reference", "b", "--features", "net",
                  "--criterion", "is,fid", "--json")  # fmt: skip
    scores = json.loads(out)
    is_label, fid_label = scores
    assert is_label.startswith("is_net_")
    assert fid_label.startswith("fid_net_")
    out = printed(capsys, "evaluate", "a", "--reference", "a", "--features", "net", "--json")
    assert json.loads(out) == {next(iter(json.loads(out))): pytest.approx(0, abs=1e-9)}
    assert fid_label not in json.loads(out)  # another reference: another label
    # Of one shape they must be where the network declares no size.
    message = refused(capsys, "evaluate", "a", "--reference", "digits")
    assert message.startswith("autogan: reference: digits has grey 8x8 images, the others are RGB")


@pytest.mark.usefixtures("in_process")
def test_from_python_the_same_comes_back_as_objects(searched):
    root = searched[0] / "runs" / "dcgan-digits"
    images = autogan.sample(root, count=5)
    assert (images.shape, images.dtype) == ((5, 8, 8, 1), np.uint8)
    plan = autogan.plan({"trials": 3, "steps": 10, "params": {"d_iter": [1, 3]}})
    assert (plan.images, plan.updates) == (1437, 10 * 3)


@pytest.mark.usefixtures("in_process")
def test_dry_run_creates_nothing(tmp_path, capsys):
    out = printed(capsys, *SEARCH, "--dry-run")
    values = yaml.safe_load(out)
    assert values["params"]["learning_rate"] == [0.0002, 0.002]
    assert "# searched: learning_rate; points in the space: 2\n# 2 trials of 40 steps\n" in out
    assert "trains for" not in out
    limits = ("--max-minutes", "3", "--workers", "2")
    assert printed(capsys, *SEARCH, "--dry-run", *limits).endswith(
        "# trains for at most 1 min 30 s on each of 2 workers; "
        "start-up and the scores at the end come on top\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_of_a_search_that_goes_on_says_how_much_is_done(searched, capsys):
    root = searched[0] / "runs" / "dcgan-digits"
    done = autogan.load(root).updates()
    out = printed(capsys, "search", "--resume", str(root), "--dry-run")
    assert f"# about {done:,} updates of both networks; {done:,} are done already\n" in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("search", "--gan-type", "dcgann"), "gan_type: 'dcgann' is not known; did you mean"),
        (("search", "nothing.yaml"), "config: nothing.yaml cannot be read (No such file"),
        (("search", "--param", "d_iter"), "param: 'd_iter' is not of the form NAME=VALUE"),
        (("search", "--steps", "0"), "steps: '0': "),
        (("search", "--resume", "nowhere"), "resume: nowhere holds no search"),
        (("train", "--param", "d_iter=1,2"), "d_iter: [1, 2] are several values"),
        (("evaluate", "digits"), "reference: none given"),
        (("evaluate", "a/b", "--reference", "digits"), "images: a/b is not a folder"),
        (("sample", "nowhere"), "folder: nowhere holds no search or training"),
        (("search", "--nosuch"), "No such option: --nosuch\n"),
        (
            ("search", "--param", "learning_rate=1e-4..1e-2:lg"),
            "learning_rate: 1e-4..1e-2:lg is not a range; write LOW..HIGH or LOW..HIGH:log\n",
        ),
        (("search", "--steps", "abc"), "steps: 'abc': input should be a valid integer"),
        (("searh",), "No such command 'searh'"),
        (
            ("search", "--learning-rate", "3"),
            "No such option: --learning-rate; learning_rate is a hyperparameter: --param",
        ),
        (("list", "gan-type"), "list: 'gan-type' cannot be listed; did you mean 'gan-types'?"),
        (("list", "dcgann"), "list: 'dcgann' cannot be listed; did you mean 'dcgan'?"),
        (
            ("evaluate", "digits", "--reference", "digits", "--criterion", "fid,iss"),
            "criterion: 'iss' is not known; did you mean 'is'?",
        ),
        (
            ("evaluate", "digits", "--reference", "digits", "--criterion", ","),
            "criterion: '' names no criterion",
        ),
    ],
)
def test_bad_input_is_one_line(capsys, tmp_path, arguments, expected):
    assert refused(capsys, *arguments).startswith(f"autogan: {expected}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("evaluate", "a", "--reference", "digits"), "reference"),
        (("evaluate", "digits", "--reference", "a"), "images"),
        (("evaluate", "digits", "--corrupt", "blur=1"), "images"),
        (("statistics", "digits", "-o", "digits.npz"), "images"),
    ],
)
def test_a_folder_with_a_datasets_name_is_named_by_its_path(tmp_path, capsys, arguments, field):
    for name in ("a", "digits"):
        (tmp_path / name).mkdir()
    assert refused(capsys, *arguments) == (
        f"autogan: {field}: digits is both a dataset and a folder here; write ./digits for the "
        "folder, or rename it to use the dataset\n"
    )
    assert dataset_or_folder("./digits", field) == "folder:./digits"
    (tmp_path / "digits").rmdir()
    assert dataset_or_folder("digits", field) == "digits"


def test_a_configuration_is_no_dataset(tmp_path, capsys):
    (tmp_path / "best.yaml").touch()
    assert refused(capsys, "evaluate", "best.yaml") == (
        "autogan: images: best.yaml is a configuration; name the folder of its run\n"
    )


def test_a_misspelt_flag_suggests_only_those_that_are_close(capsys):
    said = refused(capsys, "search", "--gan-typ", "dcgan")
    assert said.startswith("autogan: No such option: --gan-typ")
    assert set(re.findall(r"--[a-z-]+", said)) == {"--gan-typ", "--gan-type"}


def test_a_folder_or_file_named_as_dataset_is_suggested(tmp_path, capsys):
    assert "known: " in refused(capsys, "search", "--dataset", "pets")
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets.zip").touch()
    for kind, name in (("folder", "pets"), ("file", "pets.zip")):
        assert refused(capsys, "search", "--dataset", name) == (
            f"autogan: dataset: {name!r} is not known; a {kind} here has that name: {kind}:{name}\n"
        )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--dataset", "folder:cats"), "dataset: folder:{}/cats: there is no such folder"),
        (("--dataset", "folder:plain"), "features: classifier needs labels"),
        (("--dataset", "folder:plain", "--reference-split", "test"), "reference_split: test"),
        (("--features", "no/where"), "features: {}/no/where is not a SavedModel"),
        (("--run-dir", "/proc/x"), "run_dir: /proc/x cannot be written"),
    ],
)
@pytest.mark.usefixtures("in_process")
def test_what_only_a_worker_can_see_is_one_line_too(tmp_path, capsys, arguments, expected):
    (tmp_path / "plain").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "plain" / "a.png")
    with pytest.raises(SystemExit) as exit_:
        main(["search", *TINY, "--features", "classifier", *arguments])
    assert exit_.value.code == 2
    err = capsys.readouterr().err.splitlines()
    assert err[-1].startswith(f"autogan: {expected.format(tmp_path)}")
    known = (
        "checking the configuration",
        "preparing the features (classifier)",
        "training on the ",
        "data: ",
    )
    assert all(line.startswith(known) for line in err[:-1])
    assert os.listdir(tmp_path) == ["plain"]


def test_a_missing_gpu_is_one_line_and_leaves_nothing(tmp_path):
    _, err = run("search", *TINY, "--device", "gpu:3", code=2)
    assert err.splitlines()[-1].startswith("autogan: device: gpu:3, but TensorFlow sees")
    assert os.listdir(tmp_path) == []


def test_debug_shows_the_traceback(capsys):
    with pytest.raises(autogan.ConfigError):
        main(["search", "--steps", "0", "--debug"])
    with pytest.raises(SystemExit):  # a folder's name, and no flag
        main(["show", "--", "--debug"])


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",)])
def test_help_is_no_error(capsys, arguments):
    out = printed(capsys, *arguments)
    assert "Usage: autogan [OPTIONS] COMMAND" in out
    assert "--install-completion" in out


@pytest.mark.parametrize("command", ["search", "train", "evaluate", "sample", "list"])
def test_every_command_has_both_flags_of_help(capsys, command):
    assert printed(capsys, command, "-h") == printed(capsys, command, "--help")


def test_the_help_of_train_shows_how_to_train_longer(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = " ".join(printed(capsys, "train", "--help").replace("│", "").split())
    assert "with --resume, also a run's folder" in words
    assert "train RUN --resume --steps N" in words


@pytest.mark.parametrize("command", ["search", "train"])
def test_help_fits_two_screens_and_hides_no_flag_for_good(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    short, whole = (printed(capsys, command, flag) for flag in ("--help", "--help-all"))
    assert short.count("\n") <= 100
    kind = SearchConfig if command == "search" else TrainConfig
    for name in kind.model_fields:
        flag = "--param" if name == "params" else f"--{name.replace('_', '-')}"
        assert re.search(rf"{flag}\b", whole), flag
    assert "--bits" not in short


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("sea", ["search"]),
        ("search --gan", ["--gan-type"]),
        ("search --gan-type wgan", ["wgan", "wgan_gp"]),
        ("search --also fid,clipped_", ["fid,clipped_density", "fid,clipped_coverage"]),
        ("search --dataset fo", ["folder:"]),
        ("search --compiler x", ["xla"]),
        ("search --param lea", ["learning_rate="]),
        ("search --param loss=hi", ["loss=hinge"]),
        ("search --gan-type began --param ga", ["gamma="]),
        ("search gan_d", ["gan_digits"]),
        ("list crit", ["criteria"]),
    ],
)
def test_shells_complete_commands_flags_and_values(typed, completed):
    words = f"autogan {typed}"
    asked = {
        "COMP_CWORD": str(len(typed.split())),
        "COMP_WORDS": words,
        "_AUTOGAN_COMPLETE": "complete_bash",
    }
    out, _ = run(env={**os.environ, **asked})
    assert out.split() == completed


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash on this machine")
def test_the_shell_that_asks_is_given_its_completion():
    """Typer looks for a shell among the parents; a test may have none, so it brings its own."""
    asked = f"{shlex.quote(sys.executable)} -m autogan --show-completion; exit $?"
    out = subprocess.check_output(["bash", "-c", asked], text=True, stdin=subprocess.DEVNULL)
    assert out.rstrip().endswith("-F _autogan_completion autogan")


@pytest.mark.parametrize("name", ["x" * 300, "/".join(["x" * 200] * 30), "~nosuchuser/x"])
@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("sample", "{}"), "folder"),
        (("evaluate", "{}", "--reference", "digits"), "images"),
        (("evaluate", "digits", "--reference", "{}"), "reference"),
        (("search", "--resume", "{}"), "resume"),
        (("train", "{}"), "config"),
        (("sample", ".", "--output", "{}"), "output"),
    ],
)
def test_names_that_no_file_can_have_are_refused_in_one_line(capsys, name, arguments, field):
    message = refused(capsys, *(argument.format(name) for argument in arguments))
    assert message.startswith(f"autogan: {field}: ")


def test_sampling_more_than_memory_holds_is_refused(searched):
    root = str(searched[0] / "runs" / "dcgan-digits")
    _, err = run("sample", root, "--count", "100000000000", code=2)
    assert err.startswith("autogan: count: 100000000000; give 1 to ")


@pytest.mark.parametrize(
    ("words", "field"),
    [(["search", "--warm-start", "a", "--warm-start", "b"], "warm_start"),
     (["train", "--also", "fid", "--also=is"], "also"),
     (["evaluate", "a", "--criterion", "fid", "--criterion", "kid"], "criterion")],
)  # fmt: skip
def test_a_flag_that_is_given_twice_is_refused(words, field, capsys):
    """Where several things may be meant: else the last would count, in silence."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    problem = f"autogan: {field}: its flag is given twice; give it once"
    assert capsys.readouterr().err.splitlines() == [problem]

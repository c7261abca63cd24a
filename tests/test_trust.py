"""A file alone never makes code run, and connects to nothing: the user must say so, too."""

import os
import shlex
from pathlib import Path

import pytest
import yaml
from fakes import FakeEngine
from pages import confirmed_on_disk, search_on_disk

import autogan
from autogan.config import SearchConfig, TrainConfig, load_config, own_flags
from autogan.core.errors import ConfigError
from autogan.pool.places import WORKER, LocalPlace
from autogan.show.displays import PlainDisplay

NAME, PLAIN, PLACE = "names a part", "is plain", "is a place to read from or write to"
ASKS = "counts only from flags, environment and Python"

WHAT_A_FILE_MAY_DO = {
    # A part by package.module:Name in them is refused without --plugin-dirs.
    "gan_type": NAME, "dataset": NAME, "criterion": NAME, "constraint": NAME, "also": NAME,
    "search_method": NAME, "stopping": NAME, "plugin_dirs": NAME,
    # Executed, connected to or loaded as a program.
    "worker_command": ASKS, "engine": ASKS, "ray_address": ASKS, "features": ASKS,
    "log_to": ASKS,
    # Folders. What lies there is read as numbers, pictures or plain YAML and JSON; runs below
    # stage1 and warm_start are files in the sense of this table.
    "reference_statistics": PLACE, "data_dir": PLACE, "labels": PLACE, "stage1": PLACE,
    "warm_start": PLACE, "run_dir": PLACE,
    "checkpoint_dir": PLACE, "result_dir": PLACE, "log_dir": PLACE,
    # Numbers, choices, and words that are compared with known ones.
    **dict.fromkeys((
        "image_size", "channels", "bits", "background", "skip_unreadable",
        "params", "steps", "epochs", "evaluate_every", "normalise", "eval_samples",
        "generated", "reference_split", "seed", "device", "threads", "compiler", "precision",
        "max_trial_minutes", "checkpoint_minutes", "workers", "workers_per_gpu", "order",
        "trials", "max_minutes", "max_steps", "time", "target", "distinct", "repeats", "confirm",
        "prefer", "enqueue", "first", "until", "proxy",
    ), PLAIN),
}  # fmt: skip

TOUCH = "sh -c 'touch touched; exit 1'"
HOSTILE = {
    "worker_command": ({"worker_command": TOUCH}, f"--worker-command {shlex.quote(TOUCH)}"),
    "engine": ({"engine": "ray", "ray_address": "10.0.0.1:6379"},
               "--engine ray --ray-address 10.0.0.1:6379"),
    "features": ({"features": "net"}, "--features net"),
    "dataset": ({"dataset": "tfds:huggingface:pets"}, "--dataset tfds:huggingface:pets"),
    "log_to": ({"log_to": ["mlflow", "hostile_part:T"]}, "--log-to mlflow,hostile_part:T"),
    "plugin_dirs": ({"gan_type": "hostile_part:GAN", "plugin_dirs": ["."]}, "--plugin-dirs ."),
}  # fmt: skip


def test_each_key_is_classified():
    """A new key is to be looked at: may a file that somebody mailed set it?"""
    assert WHAT_A_FILE_MAY_DO.keys() == SearchConfig.model_fields.keys()


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch, tmp_path):
    """Fails if anything but our own worker is started, or a cluster joined."""
    (tmp_path / "hostile_part.py").write_text("open('touched', 'w')\n")
    ran = []

    def spawn(place, hear):
        ran.append(place.command)
        raise ConfigError("worker", "would be started")

    monkeypatch.setattr(LocalPlace, "spawn", spawn)
    monkeypatch.setattr("autogan.pool.ray.ray_places", lambda run: ran.append("ray"))
    yield
    assert all(command == WORKER for command in ran)
    assert not Path("touched").exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_mailed_configuration_is_refused_with_the_flags_to_add(name, command):
    keys, flags = HOSTILE[name]
    Path("mail.yaml").write_text(yaml.safe_dump({"dataset": "digits", **keys}))
    commands = [["search", "mail.yaml", "--dry-run"], ["search", "mail.yaml"]]
    if keys.keys() <= TrainConfig.model_fields.keys():
        commands.append(["train", "mail.yaml"])
    before = sorted(os.listdir())
    for words in commands:
        code, out, err = command(*words)
        assert (code, out, err.count("\n")) == (2, "", 1), words
        assert err.startswith(f"autogan: {name}: mail.yaml names ")
        assert "as you" in err
        assert err.rstrip().endswith(flags)
    assert sorted(os.listdir()) == before


def test_what_the_user_says_too_counts():
    Path("mail.yaml").write_text("engine: ray\nray_address: there:1\nfeatures: net\n")
    flags = {"engine": "ray", "ray_address": "here:2", "features": "other"}
    config = load_config(SearchConfig, Path("mail.yaml"), flags)
    assert (config.engine, config.ray_address, config.features) == ("ray", "here:2", "other")
    with pytest.raises(ConfigError, match=r"^features: .*, add --features net$"):
        load_config(SearchConfig, Path("mail.yaml"), {"engine": "ray", "ray_address": "here:2"})
    assert SearchConfig(worker_command="ssh there", features="net").features == "net"


@pytest.mark.parametrize(
    "text",
    ["worker_command: [sh, -c, x]", "worker_command: 5", "features: [net]", "engine: [ray]",
     "ray_address: {a: b}", "features: Inception", "dataset: [tfds]", "engine: RAY"],
)  # fmt: skip
def test_odd_values_are_refused_too(text, command):
    Path("mail.yaml").write_text(text)
    code, out, err = command("search", "mail.yaml", "--dry-run")
    assert (code, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    "text",
    ["dataset: !!python/object/apply:os.system [touch touched]", "params: {loss: hostile_part:L}",
     "dataset: hostile_part:Images", "criterion: {hostile_part:C: 1}", "also: [hostile_part:C]",
     "criterion: is - 0.1*hostile_part:C", "stopping: hostile_part:R", "dataset: 'this:X:Y'",
     "search_method: hostile_part:M", "normalise: {hostile_part:C: [0, 1]}",
     "enqueue: [{loss: 'hostile_part:L'}]", "prefer: hostile_part:C"],
)  # fmt: skip
def test_no_other_value_runs(text, command):
    Path("mail.yaml").write_text(text)
    code, out, err = command("search", "mail.yaml", "--dry-run")
    assert (code, out, err.count("\n")) == (2, "", 1)


def mailed(root, **keys):
    """A run as somebody may have made it, or written it by hand."""
    folder, config, _ = search_on_disk(root, trials=3)
    folder.config.write_text(yaml.safe_dump({**config.as_dict(), **keys}))
    trial = TrainConfig(**{n: getattr(config, n) for n in TrainConfig.model_fields
                           if n not in ("params", "run_dir")})  # fmt: skip
    own = {n: v for n, v in keys.items() if n in TrainConfig.model_fields}
    for path in (folder.best_config, root / "trials" / "0000" / "config.yaml"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({**trial.as_dict(), **own}))
    return folder


@pytest.mark.parametrize("name", HOSTILE)
def test_a_mailed_run_runs_nothing(name, command, tmp_path):
    keys, flags = HOSTILE[name]
    root = tmp_path / "mailed"
    mailed(root, **keys)
    reading = [["show", root], ["show", root, "--csv"], ["show", root, "--json"], ["report", root],
               ["check", root], ["sample", root / "trials/0000"], ["list", "runs"]]  # fmt: skip
    loading = [["search", "--resume", root], ["search", "--resume", root, "--dry-run"],
               ["search", "--warm-start", root], ["search", root / "search.yaml"],
               ["train", root / "best.yaml"], ["evaluate", root / "trials/0000"],
               ["search", "--stage1", root / "trials/0000", "--image-size", "16"]]  # fmt: skip
    for words in [*reading, *loading]:
        code, out, err = command(*words)
        assert "Traceback" not in out + err, words
        assert code in ((0, 1, 2) if words[0] == "check" else (0, 2)), words
        if name == "plugin_dirs" and words[0] != "list" and "--warm-start" not in words:
            assert code == 2, words
            assert flags in err or "would be started" in err, words
        elif words in reading and words[0] not in ("sample", "check"):
            assert code == 0, (words, err)
        elif words[:2] in (["evaluate", root / "trials/0000"], ["train", root / "best.yaml"]):
            assert (flags in err) == (keys.keys() <= TrainConfig.model_fields.keys()), words


def test_a_search_is_resumed_here_unless_the_user_says_where(command, capsys):
    keys = {"dataset": "digits", "trials": 2, "search_method": "random", "run_dir": "runs/a"}
    autogan.run_search({**keys, "worker_command": "ssh there"}, engine=FakeEngine())
    text = Path("runs/a/search.yaml").read_text()
    saved = yaml.safe_load(text)
    assert not {"worker_command", "engine", "ray_address"} & saved.keys()
    assert "autogan search FILE --worker-command 'ssh there'" in text.splitlines()[0]
    # A file of AutoGAN 0.3 holds them.
    old = {"engine": "ray", "ray_address": "there:1"}
    Path("runs/a/search.yaml").write_text(yaml.safe_dump({**saved, **old}))
    capsys.readouterr()
    result = autogan.run_search(
        {"trials": 3}, resume="runs/a", engine=FakeEngine(), display=PlainDisplay()
    )
    assert len(result.trials) == 3
    told = capsys.readouterr().err.splitlines()
    said = "to run them elsewhere, give --engine ray --ray-address there:1 again"
    assert [line for line in told if said in line]
    assert not old.keys() & yaml.safe_load(Path("runs/a/search.yaml").read_text()).keys()


def test_a_saved_model_is_named_again_to_resume(command):
    keys = {"dataset": "digits", "trials": 2, "search_method": "random", "run_dir": "runs/a"}
    autogan.run_search({**keys, "features": "net"}, engine=FakeEngine())
    net = Path("net").absolute()
    code, _, err = command("search", "--resume", "runs/a", "--trials", "3")
    assert (code, err.count("\n")) == (2, 1)
    assert err.endswith(f"if you trust it, add --features {net}\n")
    given = {"trials": 3, "features": "net"}
    result = autogan.run_search(given, resume="runs/a", engine=FakeEngine())
    assert len(result.trials) == 3
    _, out, _ = command("show", "runs/a")
    assert f"autogan train runs/a/best.yaml --features {net}" in out
    assert f"--features {net}" in Path("runs/a/best.yaml").read_text().splitlines()[1]


def test_printed_commands_name_what_must_be_trusted(tmp_path, command):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "trusted_part.py").write_text(
        "from autogan.models import DCGAN\n\n"
        "class GAN(DCGAN):\n    name, summary = 'trusted', 'one of ours'\n"
    )
    own = {"plugin_dirs": [tmp_path / "own"], "gan_type": "trusted_part:GAN", "trials": 2,
           "dataset": "digits", "search_method": "random", "run_dir": "runs/a",
           "features": "net"}  # fmt: skip
    autogan.run_search(own, engine=FakeEngine())
    _, out, _ = command("show", "runs/a", "--plugin-dirs", "own")
    net, folder = tmp_path / "net", tmp_path / "own"
    assert f"train runs/a/best.yaml --plugin-dirs {folder} --features {net}\n" in out
    assert f"sample runs/a/best --plugin-dirs {folder}\n" in out
    config = load_config(SearchConfig, Path("runs/a/search.yaml"),
                         {"plugin_dirs": "own", "features": "net"})  # fmt: skip
    assert own_flags(config, "search") == ["--plugin-dirs", str(folder), "--features", str(net)]


def test_bundled_configurations_need_no_trust():
    for path in (Path(__file__).parents[1] / "configs").glob("*.yaml"):
        load_config(SearchConfig, path)


def test_a_confirmed_search_is_read_with_old_keys(tmp_path):
    folder, config, _ = confirmed_on_disk(tmp_path / "a", trials=6)
    folder.config.write_text(yaml.safe_dump({**config.as_dict(), "worker_command": TOUCH}))
    assert len(autogan.load(folder.root).confirmed) == 3


@pytest.mark.parametrize("config", [5, "digits", [1], True, [], "", 0, {1: 2}, {None: 1}, {"a"}])
def test_what_is_no_configuration_is_one_line(config):
    for call in (autogan.run_search, autogan.plan, autogan.train):
        with pytest.raises(ConfigError, match=r"^config: .* is not a (mapping|key); ") as caught:
            call(config)
        assert "\n" not in str(caught.value)
    autogan.run_search({"trials": 1, "run_dir": "runs/a"}, engine=FakeEngine())
    with pytest.raises(ConfigError, match=r"^config: "):
        autogan.run_search(config, resume="runs/a", engine=FakeEngine())


@pytest.mark.parametrize("given", ["x", 5, object(), ["a"], PlainDisplay])
def test_what_is_no_display_or_engine_is_one_line(given):
    keys = {"dataset": "digits", "run_dir": "runs/a"}
    with pytest.raises(ConfigError, match=r"^engine: .* has no \w+; give a Engine, or nothing"):
        autogan.run_search(keys, engine=given)
    if given is not PlainDisplay:
        for call in (autogan.run_search, autogan.train, autogan.plan):
            with pytest.raises(ConfigError, match=r"^display: .* has no \w+; give a Display"):
                call(keys, display=given)
    assert not Path("runs/a").exists()


@pytest.mark.parametrize("folder", [5, b"x", None, ["a"]])
def test_what_is_no_folder_is_one_line(folder):
    for call in (autogan.load, autogan.write_report, autogan.check, autogan.sample):
        with pytest.raises(ConfigError):
            call(folder)

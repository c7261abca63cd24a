"""Whatever is written in a file or on the command line: it is taken, or refused in one line.

Over the declared keys and hyperparameters, so that new ones are covered by being declared.
"""

import contextlib
import datetime
import io
import os
import sys
from pathlib import Path

import pytest
import typer.main
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from autogan.cli.main import app, main
from autogan.config import SearchConfig, TrainConfig, load_config, parse_params, validated
from autogan.core.errors import ConfigError
from autogan.models import GAN_TYPES

KEYS = [(k, name) for k in (SearchConfig, TrainConfig) for name in k.model_fields]
PATHS = ("run_dir", "checkpoint_dir", "result_dir", "log_dir", "plugin_dirs", "warm_start",
         "data_dir", "features", "labels")  # fmt: skip
_FIRST = [(kind, h) for kind in GAN_TYPES for h in kind.hyperparameters]
_FIRST = [(kind, h) for n, (kind, h) in enumerate(_FIRST) if h not in [g for _, g in _FIRST[:n]]]
HYPERPARAMETERS = [(kind.name, h.name) for kind, h in _FIRST]
"""Each that is declared, with the first type that has it: types share most of them."""


DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the fast ones, where they are
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

few = settings(max_examples=5, deadline=None, derandomize=True, database=None)
more = settings(few, max_examples=100)

DEEP = []
for _ in range(200):  # such that a failure can still be printed; files go deeper
    DEEP = [DEEP]

ITSELF = ["fid"]
ITSELF.append(ITSELF)

LAUGHS = ["fid"] * 10
for _ in range(4):
    LAUGHS = [LAUGHS] * 10

TEXTS = [
    "", " ", "~", "~nosuchuser/x", "..", ".", "/", "a\nb", "\0", "a\0b", "\ud800", "\udcff/x",
    "\x1b[31m", "\u2028", "\U0001f989", "x" * 5000, "x/" * 3000, "\N{OWL}" * 200, "nan", "-inf",
    "1e999", "-1", "0", "1", "0.5", "history", "[", "{a: b", "is=1..2,fid=0..9", "0..inf",
    "nan..nan:log", "..", "1e-5..1e-2:log", "no.module:Part", "..:..", ":", "::", "folder:",
    "folder:~nosuchuser/x", "folder:a\0b", "folder:" + "x" * 5000, "folder:" + "\N{OWL}" * 60,
    "folder:..", "folder:\ud800", "tfds:", "tfds:x", "digits:x", "fid -", "2*fid", "is - 0.01*fid",
    "is,fid", "fid,fid", ",", "gpu:99999999999999999999", "top=3,repeats=5",
    "top=99999999999999999999,repeats=x", "%s {} {0}", "9" * 5000,
]  # fmt: skip
VALUES = [
    None, True, False, 0, 1, -1, 20000, 2**31, 2**63, -(10**400), 10**5000, 0.5, -0.0, 1e308,
    float("nan"), float("inf"), -float("inf"), [], {}, [[]], [None], [1, "x"], {"a": []},
    {"is": 1, "fid": 0.01}, {1: 2, None: 3}, {"is": [0, 1]}, ["is", "fid"], [["fid"]],
    {"top": 3, "repeats": 2}, {"top": 10**400}, datetime.date(2020, 1, 1),
    datetime.datetime(2020, 1, 1, 9), datetime.time(9), b"fid", b"\xff\0", {"fid"}, [b"x"],
    [datetime.date(2020, 1, 1)], DEEP, ITSELF, LAUGHS, {"x": LAUGHS}, ("fid", "is"), *TEXTS,
]  # fmt: skip

texts = st.sampled_from(TEXTS) | st.text(max_size=20)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.dates() | st.datetimes()
    | st.binary(max_size=9)
)  # fmt: skip
values = st.sampled_from(VALUES) | st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts | st.integers(), inner, max_size=4)
    ),
    max_leaves=6,
)

words = [
    "- ", "{", "}", "[", "]", ": ", ", ", "&a ", "*a", "!!bool ", "!!int ", "!!float ", "!!null ",
    "!!set ", "!!omap ", "!!pairs ", "!!binary ", "!!timestamp ", "!!map ", "!!seq ", "!!str ",
    "!x ", "<<: ", "? ", "\n", "\n  ", "\t", "'", '"', "|\n", ">", "2020-99-99", "2020-01-01",
    "0x_", "0b", "1:1:1.5", ".inf", "%YAML 9.9\n", "---\n", "...\n", "\ufeff", "#", "@", "`",
    "steps", "params", "criterion", "also", "fid", "1",
]  # fmt: skip
junk = st.lists(st.sampled_from(words), max_size=12).map("".join) | st.text(max_size=20)


@contextlib.contextmanager
def nothing_left():
    """Nothing is made in the working folder, and no folder of modules stays on the path."""
    path, before = list(sys.path), os.listdir()
    try:
        yield
    finally:
        sys.path[:] = path
    assert os.listdir() == before


def assert_one_line(text):
    assert text.isprintable()
    assert 0 < len(text) < 1200


def tried(make):
    """Make a configuration: it can be kept and read again, or is refused in one line."""
    with nothing_left():
        try:
            config = make()
            config.as_dict()
            saved = config.resolved().as_dict()
        except ConfigError as error:
            assert_one_line(str(error))
            return
        text = yaml.dump(saved, Dumper=DUMPER, sort_keys=False, allow_unicode=True).encode()
        assert validated(type(config), yaml.load(text, LOADER)).as_dict() == saved


@pytest.mark.parametrize("name", SearchConfig.model_fields)
def test_every_key_with_every_known_oddity(name):
    for value in VALUES:
        tried(lambda: validated(SearchConfig, {name: value}))  # noqa: B023


@pytest.mark.parametrize(("kind", "name"), KEYS)
@given(value=values)
@few
def test_every_key_with_any_value(kind, name, value):
    tried(lambda: validated(kind, {name: value}))


@given(st.sampled_from((SearchConfig, TrainConfig)), st.data())
@more
def test_several_keys_at_once(kind, data):
    known = st.sampled_from(sorted(kind.model_fields)) | texts
    chosen = data.draw(st.dictionaries(known, values, min_size=2, max_size=4))
    tried(lambda: validated(kind, chosen))


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "'' is not a path"),
        ("x" * 5000, "give a shorter path"),
        ("x" * 256, "is .* bytes long; give a shorter path"),
        ("a/" * 1900, "give a shorter path"),
        ("~nosuchuser/x", "~nosuchuser/x: .*; give a full path"),
        ("a\0b", r"holds the character '\\x00'; leave it out"),
        ("a\ud800", r"holds the character '\\ud800'; leave it out"),
    ],
)
def test_paths_that_no_file_can_have(name, path, expected):
    if (name, path) == ("features", ""):
        return
    for value in (path, Path(path)) if path and name != "features" else (path,):
        with pytest.raises(ConfigError, match=f"^{name}: .*{expected}"):
            validated(SearchConfig, {name: value})
    if path:
        with pytest.raises(ConfigError, match=f"^dataset: .*{expected}"):
            validated(SearchConfig, {"dataset": f"folder:{path}"})
        with pytest.raises(ConfigError, match="^config: "):
            load_config(SearchConfig, Path(path))


@pytest.mark.parametrize(
    "value",
    [7, 0, True, [1], [["x"]], [None], [""], {"a": 1}, datetime.date(2020, 1, 1), b"x", [b"x"]],
)
def test_folders_of_modules_that_are_no_list_of_texts(value):
    with pytest.raises(ConfigError, match="^plugin_dirs: ") as error:
        validated(SearchConfig, {"plugin_dirs": value})
    assert_one_line(str(error.value))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"threads": 20000}, "threads: 20000: input should be less than or equal to 1024"),
        ({"steps": 10**5000}, "steps: an integer of 16610 bits is too large; give a smaller"),
        ({"steps": LAUGHS}, "steps: holds more than 10000 values; give fewer"),
        ({"also": ITSELF}, "also: is nested too deeply; give a value or a list of values"),
        ({"run_dir": datetime.date(2020, 1, 2)},
         "run_dir: 2020-01-02 is read as a date; write it in quotes: '2020-01-02'"),
        ({"also": [b"fid"]}, "also: b'fid' is binary; give text or a number"),
        ({"x" * 9999: 1}, f"{'x' * 47} ... {'x' * 48}: there is no such key; known: "),
        ({"a\x1b\nb": 1}, "a\\x1b\\nb: there is no such key; known: "),
        ({"gan_type": "x\x1b[31m"}, "gan_type: 'x\\x1b[31m' is not known; "),
    ],
)  # fmt: skip
def test_known_oddities_are_told(values, expected):
    with pytest.raises(ConfigError) as error:
        validated(SearchConfig, values)
    assert str(error.value).startswith(expected)


def laughs(last):
    lines = ["a: &a [fid, fid, fid, fid, fid, fid, fid, fid, fid, fid]"]
    for name, before in zip("bcdefghij", "abcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    return "\n".join([*lines, last])


def read(content):
    Path("odd.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    for kind in (SearchConfig, TrainConfig):
        tried(lambda: load_config(kind, Path("odd.yaml")))  # noqa: B023


@pytest.mark.parametrize(
    "content",
    [
        "[" * 5000, "{a: " * 5000, "- " * 5000, "? " * 5000, "a: " * 5000, "!!set " * 5000,
        "params: " + "[" * 9999, "\n".join("  " * i + "a:" for i in range(2000)), "also: &a [*a]",
        "&a {params: *a}", "&a [*a]", "? &a [*a]",
        *(laughs(f"{last} *j") for last in ("? ", "steps:", "? -", "params: {d_iter:")),
        laughs("k: !!python/tuple [*j]"), "a: &a {x: 1}\nb: {<<: [*a, *a]}", "<<: 1",
        "steps: 1\nsteps: 2", "1: a\n'1': b", "\tsteps: 1", "steps:\t1", "\ufeffsteps: 1",
        "steps: 1".encode("utf-16"), b"\xff\xfe", "run_dir: 2020-99-99",
        "run_dir: 2020-01-01 00:00:00 +99:99", "steps: !!bool x", "steps: !!int ''",
        "steps: !!float ''", "steps: !!timestamp x", "steps: !!map x", "steps: !!set x",
        "also: !!set {fid, is}", "steps: 0x" + "f" * 5000, "steps: " + "9" * 5000,
        "max_minutes: " + "1:" * 400 + "0.0", "steps: 0x_", "also: !!binary /w==", "x" * 2**21,
        b"\0" * 99, "run_dir: \"a\\0b\"", "run_dir: \"\\ud800\"", "- 1", "1", "",
    ],
    ids=lambda content: None,
)  # fmt: skip
def test_known_odd_files(content):
    read(content)


@pytest.mark.parametrize("name", SearchConfig.model_fields)
def test_aliases_that_would_fill_the_memory(name):
    anchors = "\n".join(f"  {line}" for line in laughs("").splitlines())
    read(f"params:\n{anchors}\n{name if name != 'params' else 'also'}: *j")


@given(st.binary(max_size=60) | junk)
@more
def test_any_file(content):
    with contextlib.suppress(UnicodeEncodeError):
        read(content)


@given(st.lists(st.tuples(st.sampled_from([n for _, n in KEYS]), junk), max_size=3))
@more
def test_any_file_of_known_keys(lines):
    with contextlib.suppress(UnicodeEncodeError):
        read("\n".join(f"{name}: {text}" for name, text in lines))


@pytest.mark.parametrize(("gan_type", "name"), HYPERPARAMETERS)
@given(junk | texts | st.floats().map(str) | st.integers().map(str), values)
@few
def test_every_hyperparameter(gan_type, name, text, value):
    def by_flag():
        return validated(
            SearchConfig, {"gan_type": gan_type, "params": parse_params([f"{name}={text}"])}
        )

    tried(by_flag)
    tried(lambda: validated(SearchConfig, {"gan_type": gan_type, "params": {name: value}}))


@pytest.mark.parametrize("text", ["[" * 5000, "9" * 5000, "&a {b: *a}", "[" * 45, "2020-01-01"])
@pytest.mark.parametrize("gan_type", GAN_TYPES.names())
def test_odd_values_of_hyperparameters(gan_type, text):
    for h in GAN_TYPES.get(gan_type).hyperparameters:
        with pytest.raises(ConfigError, match="^param: .* is neither a number nor a word") as error:
            parse_params([f"{h.name}={text}"])
        assert_one_line(str(error.value))


@pytest.mark.parametrize(("gan_type", "name"), HYPERPARAMETERS)
def test_every_hyperparameter_with_every_known_oddity(gan_type, name):
    for value in VALUES:
        values = {"gan_type": gan_type, "params": {name: value}}
        tried(lambda: validated(SearchConfig, values))  # noqa: B023


@given(texts | junk)
@more
def test_any_hyperparameter(text):
    with nothing_left():
        try:
            parse_params([text])
        except ConfigError as error:
            assert_one_line(str(error))


class ReachedError(Exception):
    """The command would begin now."""


@pytest.fixture
def _stopped(monkeypatch):
    def stop(*args, **kwargs):
        raise ReachedError

    monkeypatch.setattr(
        "autogan.cli.main.app", typer.main.get_command(app)
    )  # made once, not each time
    for name in ("api.plan", "api.run_search", "api.train"):
        monkeypatch.setattr(f"autogan.cli.main.{name}", stop)
    for name in ("sample", "write_samples", "animate", "export", "play"):
        monkeypatch.setattr(f"autogan.cli.making.making.{name}", stop)
    for name in ("evaluate", "spoil", "statistics"):
        monkeypatch.setattr(f"autogan.cli.scoring.measure.{name}", stop)


def called(*arguments):
    """Call the command line: it comes to the command, or says in one line why not."""
    err = io.StringIO()
    with nothing_left(), contextlib.redirect_stderr(err):
        try:
            with pytest.raises(SystemExit) as exit_:
                main(list(arguments))
        except ReachedError:
            return
    assert exit_.value.code == 2, err.getvalue()
    assert err.getvalue().startswith("autogan: ")
    assert err.getvalue().endswith("\n")
    assert_one_line(err.getvalue()[:-1])


def possible(text):
    """Whether a program can be called with such an argument."""
    return "\0" not in text and not any("\ud800" <= c < "\udc80" or c > "\udcff" for c in text)


arguments = (texts | junk).filter(possible)
commands = {"search": SearchConfig, "train": TrainConfig, "evaluate": TrainConfig,
            "sample": TrainConfig, "export": TrainConfig,
            "play": TrainConfig}  # fmt: skip


@pytest.mark.parametrize("name", SearchConfig.model_fields)
@pytest.mark.usefixtures("_stopped")
def test_every_flag_with_every_known_oddity(name):
    command = "train" if name in TrainConfig.model_fields else "search"
    flag = "--param" if name == "params" else f"--{name.replace('_', '-')}"
    for text in filter(possible, TEXTS):
        called(command, f"{flag}={text}")


@pytest.mark.parametrize("output", ["x" * 5000, "~nosuchuser/x", "\udcff"])
@pytest.mark.usefixtures("_stopped")
def test_an_output_that_cannot_be(output):
    called("sample", "folder", f"--output={output}")


@pytest.mark.usefixtures("_stopped")
@given(st.sampled_from(sorted(commands)), st.data())
@more
def test_any_command_line(command, data):
    flags = st.sampled_from([f"--{n.replace('_', '-')}" for n in commands[command].model_fields])
    other = st.sampled_from(
        ["--param", "--resume", "--overwrite", "--json", "--count", "--classes", "--output",
         "--mix", "--truncation", "--interpolate", "--format", "--licence",
         "--criterion", "--reference", "--checkpoint", "--nosuch", "--"]
    )  # fmt: skip
    parts = data.draw(st.lists(flags | other | arguments, max_size=5))
    called(command, *(part for part in parts if part not in ("--help", "--debug")))

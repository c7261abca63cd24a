"""A search as an Optuna study, for Optuna's dashboard and analyses."""

import contextlib
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autogan.core.errors import ConfigError, StorageError
from autogan.core.files import check_free, stored, temporary_of
from autogan.core.hyperparameters import Dimension
from autogan.core.invocation import command
from autogan.search import State, Trial
from autogan.show.result import SearchResult

_STATES = {
    State.COMPLETE: "COMPLETE",
    State.TIMED_OUT: "COMPLETE",
    State.STOPPED: "PRUNED",
    State.DIVERGED: "FAIL",
    State.COLLAPSED: "FAIL",
    State.FAILED: "FAIL",
    State.RUNNING: "RUNNING",
}


def write_study(result: SearchResult, path: Path, *, overwrite: bool = False) -> None:
    """Write a search's trials into an SQLite file, as a study named after the folder.

    Trials that were stopped early become pruned, dead and failed ones become failed; each has its
    evaluations, seed, origin, state and reason.

    Args:
        result: of the search.
        path: of the file.
        overwrite: replace it if it exists.

    Raises:
        ConfigError: if Optuna is not installed, or the file exists.
        StorageError: if it cannot be written.
    """
    try:
        import optuna
        import sqlalchemy
    except ImportError:
        install = command("pip", "install", "optuna")
        raise ConfigError("optuna", f"Optuna is not installed; install it: {install}") from None
    check_free(path, "optuna", overwrite)
    temporary = temporary_of(path)
    try:
        with stored(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _filled(optuna, result, temporary)
            temporary.replace(path)
    except (optuna.exceptions.StorageInternalError, sqlalchemy.exc.SQLAlchemyError) as error:
        raise StorageError(f"{path} cannot be written ({type(error).__name__}: {error})") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _filled(optuna: Any, result: SearchResult, path: Path) -> None:
    """Write the study into a new file."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    several = result.config.objectives
    full = {"min": "minimize", "max": "maximize"}
    directions = [full[objective.direction] for objective in several.values()]
    study = optuna.create_study(
        study_name=result.folder.root.resolve().name,
        storage=f"sqlite:///{path}",
        directions=directions,
    )
    study.set_user_attr("criteria", list(several))  # Optuna's metric names are experimental
    spread = {
        d.name: _distribution(optuna.distributions, d, result.trials)
        for d in result.config.space.dimensions
    }
    signs = [1 if direction == "minimize" else -1 for direction in directions]
    for trial in result.trials:
        study.add_trial(_frozen(optuna.trial, result, trial, spread, signs))
    study._storage.remove_session()


def _distribution(distributions: Any, dimension: Dimension, trials: Sequence[Trial]) -> Any:
    """All values that a hyperparameter can have or had: methods may leave a list."""
    declared = dimension.hyperparameter
    had = [t.params[dimension.name] for t in trials if dimension.name in t.params]
    if declared.kind == "choice":
        return distributions.CategoricalDistribution(
            list(dict.fromkeys([*dimension.candidates, *had]))
        )
    limits = dimension.range
    ends = [*dimension.candidates, *((limits.low, limits.high) if limits else ()), *had]
    numbers = [float(end) for end in ends]
    low, high = min(numbers), max(numbers)
    log = declared.kind == "scale" if limits is None else limits.log
    if declared.integer:
        return distributions.IntDistribution(int(low), int(high), log=log and low >= 1)
    return distributions.FloatDistribution(low, high, log=log and low > 0)


def _frozen(
    trials: Any, result: SearchResult, trial: Trial, spread: dict[str, Any], signs: Sequence[int]
) -> Any:
    """A trial in Optuna's form."""
    state = trials.TrialState[_STATES[trial.state]]
    stints = result.stints.get(trial.number, ())
    times = [moment for stint in stints for moment in (stint.began, stint.last)] or [0.0]
    begun, ended = (datetime.datetime.fromtimestamp(each(times)) for each in (min, max))
    values = [sign * loss for sign, loss in zip(signs, trial.losses, strict=False)]
    if len(signs) == 1:
        values = [] if trial.value is None else [trial.value]
    complete = state == trials.TrialState.COMPLETE and len(values) == len(signs)
    if state == trials.TrialState.COMPLETE and not complete:
        state = trials.TrialState.FAIL
    known = {name: value for name, value in trial.params.items() if name in spread}
    frozen = trials.create_trial(
        state=state,
        values=values if complete else None,
        params=known,
        distributions={name: spread[name] for name in known},
        user_attrs={
            "seed": trial.seed,
            "origin": trial.origin,
            "state": trial.state.value,
            "reason": trial.reason,
            "another_seed_of": trial.repeats,
            "confirms": trial.confirms,
            "best_value": trial.value,
        },
        # Optuna has no intermediate values for several criteria.
        intermediate_values={
            e.step: e.value for e in trial.evaluations if len(signs) == 1 and e.value is not None
        },
    )
    frozen.datetime_start = begun
    frozen.datetime_complete = ended if state.is_finished() else None
    return frozen

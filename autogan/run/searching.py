"""A search from start to end: check it, begin or resume it, and run it."""

import contextlib
import dataclasses
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autogan.config import SearchConfig, check_proxy, own_flags, proxy_of, small_copy
from autogan.core.errors import ConfigError, SearchFailed
from autogan.core.files import look, sweep, write_yaml
from autogan.decisions.budget import Budget
from autogan.decisions.tally import Tally, fitting_tally
from autogan.decisions.warmstart import earlier_trials, learning
from autogan.pool.messages import Open, Opened, Time, Timed
from autogan.pool.pool import Engine
from autogan.record.folder import SearchFolder
from autogan.record.ledger import Ledger
from autogan.record.lines import Begun, Changed, Limits
from autogan.record.resume import check_header, limits_of
from autogan.run.loop import SearchLoop
from autogan.run.opening import Opening, opening
from autogan.run.pace import within_time
from autogan.run.plan import first_trial
from autogan.show.display import Display
from autogan.show.result import SearchResult
from autogan.show.tracking import tracked_search

_OF_PROXY = ("trials", "enqueue")  # the limits that apply to the proxy only

Page = Callable[[SearchResult, Display], None]


@dataclass(frozen=True)
class Manner:
    """The ways to begin a search; see `autogan.api.run_search`."""

    resume: bool = False
    overwrite: bool = False
    retry_failed: bool = False
    accept_changed_data: bool = False


def searched(
    run: SearchConfig, manner: Manner, display: Display, page: Page, engine: Engine | None = None
) -> SearchResult:
    """Search for the best hyperparameters.

    Args:
        run: resolved; its folder is the search's.
        manner: how it begins.
        display: shows the progress.
        page: writes the page at the end.
        engine: runs the trials; if None, workers according to the configuration.

    Raises:
        AutoGANError: see `autogan.api.run_search`.
    """
    assert run.run_dir is not None
    folder = SearchFolder(run.run_dir)
    # The page says whether a command is at work in the folder, so it is written after the claim.
    with (
        contextlib.ExitStack() as afterwards,
        opening(
            run,
            folder.root,
            folder.config,
            display,
            engine,
            resume=manner.resume,
            overwrite=manner.overwrite,
        ) as start,
    ):
        begun = Ledger(folder.ledger, start.claim.held) if manner.resume else None
        start.check()
        if start.config.time is not None:
            trial = first_trial(start.config).as_dict()
            timed = start.workers.call(Time(config=trial), Timed, display.note)
            start.config = within_time(start.config, start.opened.images, timed, display)
        run, header = start.config, start.header
        run.rule(start.opened.images)
        Budget(run, start.opened.images).check()
        check_size(run, start.opened)
        if run.proxy is not None:
            _check_small_copy(run, start, begun, display)
        if begun is not None and begun.header:
            fitting_tally(run, begun)
            for note in check_header(begun.header, header, manner.accept_changed_data):
                display.note(note)
        elif run.warm_start is not None:
            earlier = earlier_trials(run.warm_start, run, header)
            display.note(learning(earlier, run))
            header["earlier"] = [dataclasses.asdict(trial) for trial in earlier]
        start.begin()
        sweep(folder.root)
        ledger = begun or Ledger(folder.ledger, start.claim.held)
        again = shlex.join(["autogan", "search", "FILE", *own_flags(run, "search")])
        write_yaml(folder.config, run.saved(), f"Run this search again with: {again}")
        if run.proxy is not None and not ledger.header:
            header["proxy"] = _chosen_by_proxy(start, manner, display, page)
        if not ledger.header:
            ledger.append(Begun(**header))
        if ledger.header["data"] != header["data"]:
            ledger.append(Changed(data=header["data"]))
        limits = limits_of(run)
        if ledger.limits != limits:
            ledger.append(Limits(keys=limits))
        start.join()
        tally = Tally(run, ledger)
        afterwards.callback(lambda: page(SearchResult(tally), display))
        with tracked_search(tally, display) as tracking:
            loop = SearchLoop(tally, start.workers, tracking)
            if manner.retry_failed:
                loop.retry_failed()
            return loop.run()


def check_size(run: SearchConfig, opened: Opened) -> None:
    """Check that a proxy is smaller than the training, once steps and images are known.

    Raises:
        ConfigError: if it is not.
    """
    check_proxy(run)
    size = None if run.proxy is None else proxy_of(run).image_size
    if size is not None and size >= opened.image_shape[0]:
        raise ConfigError(
            "proxy",
            f"image_size {size}, but the images have {opened.image_shape[0]} pixels; give fewer",
        )


def _check_small_copy(
    run: SearchConfig, start: Opening[SearchConfig], begun: Ledger | None, display: Display
) -> None:
    """Check that a proxy can be searched, before anything is begun or replaced.

    Raises:
        ConfigError: if it cannot.
    """
    if begun is not None and begun.header:
        asked = {name: value for name, value in limits_of(run).items() if name in _OF_PROXY}
        if any(begun.limits.get(name, value) != value for name, value in asked.items()):
            display.note("the proxy has already chosen; more trials need a new search")
        return
    small = small_copy(run)
    small.rule(start.opened.images)
    opening = Open(
        config=first_trial(small).as_dict(), conditions=small.conditions, depth=small.most_depth
    )
    start.workers.call(opening, Opened, lambda text: None)


def _chosen_by_proxy(
    start: Opening[SearchConfig], manner: Manner, display: Display, page: Page
) -> dict[str, Any]:
    """Search with the proxy, and return the points to train in full.

    The proxy's search is a separate one, in a folder below. Its workers end with it; new ones start
    for the full trainings.

    Raises:
        SearchFailed: if none of its trials has a value.
    """
    run = start.config
    small = small_copy(run)
    folder = SearchFolder(start.root).proxy
    display.note(f"searching with the proxy ({proxy_of(run)}) in {folder.root}")
    resume = look(folder.config, "run_dir") == "file"
    own = dataclasses.replace(manner, resume=resume, overwrite=False)
    found = searched(small, own, display, page, start.workers)
    chosen = found.chosen(proxy_of(run).top)
    if not chosen.points:
        raise SearchFailed(
            f"no trial of the proxy has a value (autogan show {folder.root}); give a larger "
            "proxy, or other candidates"
        )
    display.note(f"training the best {len(chosen.points)} in full")
    return chosen.model_dump()

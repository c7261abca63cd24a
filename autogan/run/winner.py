"""The best trial of a search: kept up to date while it runs, judged again at its end."""

import shlex

from autogan.config import own_flags
from autogan.core.errors import AutoGANError, Interrupted, StorageError
from autogan.core.files import write_yaml
from autogan.decisions.tally import Tally
from autogan.pool.finished import Evaluate, Scores
from autogan.pool.pool import Engine
from autogan.record.folder import keep_best
from autogan.record.lines import Judged
from autogan.record.words import figure
from autogan.search import Trial
from autogan.show.display import Display
from autogan.show.standings import seeds


class Winner:
    """Keeps best.yaml and the link ``best`` up to date, and has the best generator judged.

    Both are of a trial that did not die: best.yaml is for training again.

    Args:
        tally: of the search.
        display: shows the notes.
    """

    def __init__(self, tally: Tally, display: Display) -> None:
        self._tally = tally
        self._config, self._folder, self._ledger = tally.config, tally.folder, tally.ledger
        self._display = display
        self._kept: tuple[Trial, str] | None = None  # the trial, and its worth in words
        self._noted = ""  # the last problem with the link

    def keep(self) -> None:
        """Update best.yaml and the link to the best trial so far."""
        best = self._tally.best()
        if best is None:
            return
        worth = self._worth(best)
        if (best, worth) == self._kept:
            return
        self._kept = best, worth
        name = self._ledger.folders[best.number]
        again = shlex.join(["autogan", "train", "FILE", *own_flags(self._config, "train")])
        write_yaml(
            self._folder.best_config,
            self._tally.trial_config(best).as_dict(),
            f"The best of {self._folder.root.name}: trial {best.number}, {worth} at step "
            f"{best.step}.\nTrain it again with: {again}",
        )
        if (problem := keep_best(self._folder, name)) and problem != self._noted:
            self._noted = problem
            self._display.note(problem)

    def _worth(self, best: Trial) -> str:
        """The value of the best trial, after that of its hyperparameters under several seeds."""
        if best.losses:
            return f"one of those that no other trial beats in {self._config.criterion}"
        own = f"{self._ledger.header['objective']} {best.value:.6g}"
        fresh = next((c for c in self._tally.confirmed() if c.params == best.params), None)
        if fresh is not None:
            return f"{fresh.outcome}; this trial {own}"
        known = next((p for p in self._tally.standings() if p.first.params == best.params), None)
        if known is None or len(known.trials) < 2 or known.value is None:
            return own
        return f"{figure(known.value)} {seeds(known)}; this trial {own}"

    def judge(self, engine: Engine) -> None:
        """Score the best generator on latent vectors that had no part in choosing it.

        Raises:
            StorageError: if a file cannot be written.
        """
        best = self._tally.best()
        if best is None or self._ledger.judgement(best):
            return
        self._display.note("judging the best generator on fresh latent vectors")
        config = self._tally.trial_config(best).as_dict()
        folder = self._folder.trial(self._ledger.folders[best.number])
        call = Evaluate(
            config=config,
            training=config,
            folder=str(folder.absolute()),
            run=str(self._folder.root.absolute()),
            draw_until=best.step,
        )
        try:
            found = engine.call(call, Scores)
        except (StorageError, Interrupted):
            raise
        except AutoGANError as error:  # such as a checkpoint that the user has deleted
            self._display.note(f"the best generator cannot be judged: {error}")
            return
        assert best.step is not None
        values = found.model_dump(exclude={"spoiled", "names"})
        self._ledger.append(Judged(trial=best.number, step=best.step, **values))

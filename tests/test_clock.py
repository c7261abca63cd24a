"""The clock of the work done: when each trial's next result counts, in closed form."""

import pytest

from autogan.config import SearchConfig
from autogan.decisions.clock import WorkClock
from autogan.decisions.tally import Tally
from autogan.record.ledger import Ledger
from autogan.record.lines import Begun, Ended, Evaluated, Revived, Started

LABEL = "fid"


@pytest.fixture
def searched():
    """A search of trainings of 40 steps, evaluated every 10; its record and its clock."""
    config = SearchConfig(
        dataset="digits",
        params={"d_iter": [1, 3], "batch_size": [16, 64], "learning_rate": 1e-3},
        search_method="random",
        steps=40,
        evaluate_every=10,
        run_dir="runs/a",
    ).resolved()
    ledger = Ledger(None)
    ledger.take_in(Begun(
        objective=LABEL, labels={"fid": LABEL}, features={}, environment={},
        data={"images": 640, "classes": {}, "digest": ""},
    ))  # fmt: skip
    return ledger, WorkClock(Tally(config, ledger))


def begin(ledger, number, d_iter=1, batch_size=16):
    params = {"d_iter": d_iter, "batch_size": batch_size}
    ledger.take_in(Started(trial=number, params=params, seed=number, origin="", folder=f"{number}"))


def evaluate(ledger, number, step, go_on=True):
    scores = {LABEL: 1.0}
    ledger.take_in(Evaluated(trial=number, step=step, scores=scores, go_on=go_on))


def end(ledger, number, step, state="complete"):
    ledger.take_in(Ended(
        trial=number, state=state, value=1.0, step=step, last_value=1.0, seconds=1.0, reason="",
        steps=step,
    ))  # fmt: skip


def step_of(d_iter=1, batch_size=16):
    """The work of a step: updates of both networks and half of one, times images and 32."""
    return (d_iter + 1.5) * (batch_size + 32)


def test_trials_take_as_long_as_their_updates_and_images_say(searched):
    ledger, clock = searched
    begin(ledger, 0)
    begin(ledger, 1, d_iter=3)
    begin(ledger, 2, batch_size=64)
    due = [clock.due(ledger.trials[number]) for number in range(3)]
    assert due == [10 * step_of(), 10 * step_of(d_iter=3), 10 * step_of(batch_size=64)]
    evaluate(ledger, 0, 10)
    assert clock.due(ledger.trials[0]) == 20 * step_of()
    assert clock.due(ledger.trials[1]) == due[1]


def test_a_trial_begins_when_the_last_result_counted(searched):
    ledger, clock = searched
    begin(ledger, 0)
    evaluate(ledger, 0, 10)
    begin(ledger, 1, d_iter=3)
    assert clock.due(ledger.trials[1]) == 10 * step_of() + 10 * step_of(d_iter=3)


def test_an_end_is_due_at_once_after_the_last_evaluation_or_a_stop(searched):
    ledger, clock = searched
    begin(ledger, 0)
    begin(ledger, 1)
    for step in (10, 20, 30, 40):
        evaluate(ledger, 0, step)
    evaluate(ledger, 1, 10, go_on=False)
    assert clock.due(ledger.trials[0]) == 40 * step_of()
    assert clock.due(ledger.trials[1]) == 10 * step_of()


def test_who_goes_on_after_a_stop_goes_on_from_there(searched):
    ledger, clock = searched
    begin(ledger, 0)
    begin(ledger, 1)
    evaluate(ledger, 1, 10, go_on=False)
    end(ledger, 1, 10, "stopped early")
    evaluate(ledger, 0, 10)
    evaluate(ledger, 0, 20)
    ledger.take_in(Revived(trial=1))
    assert clock.due(ledger.trials[1]) == 20 * step_of() + 10 * step_of()


def test_a_training_that_dies_between_evaluations_counts_what_it_did(searched):
    ledger, clock = searched
    begin(ledger, 0)
    end(ledger, 0, 7, "diverged")
    begin(ledger, 1)
    assert clock.due(ledger.trials[1]) == 17 * step_of()


def test_a_clock_that_is_made_later_says_the_same(searched):
    ledger, clock = searched
    begin(ledger, 0)
    begin(ledger, 1, d_iter=3)
    evaluate(ledger, 0, 10)
    before = [clock.due(trial) for trial in ledger.trials]
    evaluate(ledger, 1, 10)
    after = [clock.due(trial) for trial in ledger.trials]
    anew = WorkClock(clock._tally)
    assert [anew.due(trial) for trial in ledger.trials] == after
    assert before != after

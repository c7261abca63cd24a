"""Measure each search method's CPU time for a proposal after 1,000 trials.

python scripts/studies/time_proposals.py
"""

import math
import time

from autogan.core.hyperparameters import Dimension, Range
from autogan.models import GAN_TYPES
from autogan.search import SEARCH_METHODS, Evaluation, History, RandomSearch, Space, State, Trial

TRIALS, REPEATS = 1000, 5


def main() -> None:
    """Print the median time of several proposals for each method."""
    declared = {h.name: h for h in GAN_TYPES.get("wgan_gp").hyperparameters}
    rates = tuple(10 ** (-5 + n / 10) for n in range(40))
    lists = {
        "learning_rate": rates,
        "d_iter": range(1, 11),
        "batch_size": (16, 32, 64),
        "z_dim": (16, 64),
    }
    space = Space(
        (
            *(Dimension(declared[name], tuple(values)) for name, values in lists.items()),
            Dimension(declared["beta1"], (0.0, 0.5, 0.9)),
        )
    )
    open_space = Space(
        (*space.dimensions, Dimension(declared["penalty_weight"], range=Range(0.1, 100, log=True)))
    )
    for name in SEARCH_METHODS.names():
        where = space if SEARCH_METHODS.get(name).needs_lists else open_space
        trials: list[Trial] = []
        for number in range(TRIALS):
            proposal = RandomSearch().propose(where, History(trials[-1:], "min"), number)
            assert proposal is not None
            value = abs(math.log10(float(proposal.point["learning_rate"])) + 3)
            evaluations = [Evaluation(n, {}, value + 1 / n) for n in range(1, 2 + number % 9)]
            trials.append(
                Trial(
                    number,
                    dict(proposal.point),
                    state=State.COMPLETE,
                    evaluations=evaluations,
                    value=evaluations[-1].value,
                )
            )
        method = SEARCH_METHODS.get(name)()
        method.propose(where, History(trials, "min"), 0)  # imports modules
        taken = []
        for seed in range(REPEATS):
            begin = time.process_time()
            method.propose(where, History(trials, "min"), seed)
            taken.append(time.process_time() - begin)
        print(f"{name}: {1000 * sorted(taken)[REPEATS // 2]:.0f} ms", flush=True)


if __name__ == "__main__":
    main()

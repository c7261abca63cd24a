#!/usr/bin/env bash
# Syne Tune's BORE searches lists of candidates for seconds and logs an error at every suggestion.
#
# Met with: syne-tune 0.16.0, Python 3.11. The space is what people give a GAN's search: four lists,
# 48 combinations in all, so fewer than the 500 candidates that BORE wants to score. It draws at
# random until it has 500 different ones, ten thousand times over, and begins anew at each suggestion.
#
# Seen: once the first random suggestions are made, each further one logs the error "Tried 10000
# times" and takes twice as long as in the same space with one list made a range (1.3 s for 0.7). The
# suggestions themselves are sound.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet syne-tune==0.16.0 scikit-learn==1.9.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import logging
import statistics
import time

import syne_tune
from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import choice, loguniform
from syne_tune.optimizer.baselines import BORE

errors = []


class Kept(logging.Handler):
    def emit(self, record):
        errors.append(record.getMessage())


logging.getLogger().handlers = [Kept()]
LISTS = {
    "learning_rate": choice([5e-4, 1e-3, 2e-3, 5e-3]),
    "d_iter": choice([1, 2]),
    "penalty_weight": choice([0.03, 0.1, 0.3]),
    "generator_lr_scale": choice([1.0, 2.0]),
}


def suggestions(space, count=20):
    """Seconds of a suggestion in the median of the last half, and how many logged the error."""
    scheduler, seconds = BORE(space, metric="fid", random_seed=0), []
    errors.clear()
    for number in range(count):
        began = time.perf_counter()
        config = scheduler.suggest().config
        seconds.append(time.perf_counter() - began)
        trial = Trial(number, config, None)
        scheduler.on_trial_add(trial)
        scheduler.on_trial_complete(trial, {"fid": config["learning_rate"] * 1e3 + config["d_iter"]})
    return statistics.median(seconds[count // 2 :]), sum("Tried 10000 times" in line for line in errors)


print("syne-tune", syne_tune.__version__)
lists, logged = suggestions(LISTS)
ranges, none = suggestions({**LISTS, "learning_rate": loguniform(5e-4, 5e-3)})
print(f"four lists: {lists:.3f} s a suggestion, {logged} errors logged in 20")
print(f"one of them a range: {ranges:.3f} s, {none} errors logged")
same = logged >= 5 and none == 0
raise SystemExit(0 if same else "it behaves otherwise now")
PYTHON

#!/usr/bin/env bash
# Optuna's PatientPruner never stops a trial whose value stays the same.
#
# Met with: optuna 5.0.0, Python 3.11. Its documentation says that pruning is disabled until the
# objective does not improve for `patience` steps. A value that stays the same does not improve, but
# the comparison counts only a value that gets worse. A GAN that has collapsed reports the same FID
# again and again: it keeps its worker until the end, also if the wrapped pruner would stop it.
#
# Seen: of ten trials that report 999 nine times next to good ones, MedianPruner stops nine;
# wrapped with a patience of two it stops none, and alone with that patience none either. A value
# that rises by one part in a million at each step is stopped in all nine.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet optuna==5.0.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import optuna
from optuna.pruners import MedianPruner, PatientPruner

optuna.logging.set_verbosity(optuna.logging.ERROR)
STEPS = 9


def stopped(pruner, value):
    """How many of the ten trials that report `value(step)` a pruner stops next to twenty good ones."""
    study = optuna.create_study(pruner=pruner, sampler=optuna.samplers.RandomSampler(seed=0))
    count = 0
    for number in range(30):
        trial = study.ask()
        bad = number % 3 == 2
        for step in range(1, STEPS + 1):
            trial.report(value(step) if bad else 1 + number % 7 + 10 / step, step)
            if trial.should_prune():
                count += bad
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, value(STEPS) if bad else 1 + number % 7)
    return count


def flat(step):
    return 999.0


def rising(step):
    return 999.0 * (1 + 1e-6 * step)


print("optuna", optuna.__version__)
seen = {
    "flat, MedianPruner": stopped(MedianPruner(n_startup_trials=4), flat),
    "flat, with patience": stopped(PatientPruner(MedianPruner(n_startup_trials=4), 2), flat),
    "flat, patience alone": stopped(PatientPruner(None, 2), flat),
    "rising, with patience": stopped(PatientPruner(MedianPruner(n_startup_trials=4), 2), rising),
}
for case, count in seen.items():
    print(f"{case}: {count} of 10 stopped")
expected = {"flat, MedianPruner": 9, "flat, with patience": 0, "flat, patience alone": 0,
            "rising, with patience": 9}
raise SystemExit(0 if seen == expected else f"it behaves otherwise now: expected {expected}")
PYTHON

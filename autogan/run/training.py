"""A single training, outside of any search."""

from autogan.config import TrainConfig, own_flags
from autogan.core.errors import SearchFailed, StorageError
from autogan.core.files import write_bytes
from autogan.core.invocation import command
from autogan.pool.messages import Evaluated, Failed, Note, Progress, Train, Trained
from autogan.pool.pool import Engine
from autogan.record.folder import TrialFolder, run_of
from autogan.run.interruption import StopSignals
from autogan.search import Trial
from autogan.show.display import Display


def train_alone(run: TrainConfig, folder: TrialFolder, workers: Engine, display: Display) -> Trial:
    """Run one training to its end.

    Raises:
        Interrupted: after Ctrl-C, SIGTERM or SIGHUP.
        SearchFailed: if it failed.
        StorageError: if a file cannot be written, as on a full disk.
    """
    # A search's trial that is trained further by hand keeps its number and origin.
    meaningful = run.gan.meaningful(run.hyperparameters())
    before = folder.ended() or Trial(0, meaningful, run.seed)
    trial = Trial(before.number, before.params, run.seed, before.origin)
    if run.doubt:
        display.note(run.doubt)
    display.trial_started(trial, 1, None)
    root = folder.root
    call = Train(
        config=run.model_copy(update={"run_dir": None}).as_dict(),
        folder=str(root),
        run=str(run_of(root)),
        name=root.name,
        trial=trial,
    )
    workers.start(trial.number, run.max_trial_minutes, call)
    own = own_flags(run, "train")
    again = command("autogan", "train", folder.config, "--run-dir", root, "--resume", *own)
    advice = f"resume with: {again}"
    with StopSignals(workers, display, advice) as stop:
        while True:
            event = stop.next_event()
            message = event.message if event else None
            if isinstance(message, Note):
                display.note(message.text)
            elif isinstance(message, Progress):
                display.progress(trial.number, message.step, message.steps, message.losses)
            elif isinstance(message, Evaluated):
                trial.evaluations.append(message.evaluation)
                display.evaluated(trial)
                workers.answer(trial.number, go_on=True)
            elif isinstance(message, Failed) and message.cause == "disk":
                raise StorageError(message.reason, advice)
            elif isinstance(message, Failed):
                write_bytes(folder.traceback, message.traceback.encode(errors="backslashreplace"))
                raise SearchFailed(f"{message.reason} (see {folder.traceback})")
            elif isinstance(message, Trained):
                if message.trial is None:
                    raise stop.interrupted()
                return message.trial

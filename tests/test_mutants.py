"""The mutants of scripts/mutants.py still apply; whether they die, the script itself says."""

import importlib.util
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]


def test_every_mutant_finds_its_place():
    """A mutant whose text is gone guards nothing."""
    spec = importlib.util.spec_from_file_location("mutants", CHECKOUT / "scripts" / "mutants.py")
    mutants = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutants)
    lost = [
        mutant.what for mutant in mutants.MUTANTS
        if (CHECKOUT / mutant.file).read_text().count(mutant.old) != 1
    ]  # fmt: skip
    assert lost == []

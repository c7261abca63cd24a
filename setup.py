"""Packaging: the top-level folders become sub-packages of ``autogan``.

The mapping is the one place that knows the layout. Packages are listed, not discovered: discovery
would install ``models``, ``search`` and ``criteria`` as top-level packages of their own.
"""

from setuptools import setup

PACKAGE_DIR = {
    "autogan": "autogan",
    "autogan.core": "autogan/core",
    "autogan.data": "autogan/data",
    "autogan.data.libraries": "autogan/data/libraries",
    "autogan.config": "autogan/config",
    "autogan.record": "autogan/record",
    "autogan.decisions": "autogan/decisions",
    "autogan.pool": "autogan/pool",
    "autogan.worker": "autogan/worker",
    "autogan.trackers": "autogan/trackers",
    "autogan.show": "autogan/show",
    "autogan.run": "autogan/run",
    "autogan.report": "autogan/report",
    "autogan.report.drawing": "autogan/report/drawing",
    "autogan.play": "autogan/play",
    "autogan.cli": "autogan/cli",
    "autogan.models": "models",
    "autogan.models.types": "models/types",
    "autogan.models.networks": "models/networks",
    "autogan.models.objectives": "models/objectives",
    "autogan.models.training": "models/training",
    "autogan.models.formats": "models/formats",
    "autogan.search": "search",
    "autogan.criteria": "criteria",
    "autogan.criteria.networks": "criteria/networks",
    "autogan.configs": "configs",
}

setup(
    package_dir=PACKAGE_DIR,
    packages=list(PACKAGE_DIR),
    package_data={
        "autogan": ["py.typed"],
        "autogan.report.drawing": ["*.css", "*.js"],
        "autogan.play": ["*.html", "*.css", "*.js"],
        "autogan.configs": ["*.yaml"],
    },
)

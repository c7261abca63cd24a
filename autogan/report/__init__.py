"""The pages that show a search or a training, and the one that compares several."""

from autogan.report.comparison import comparison_page
from autogan.report.search import search_page, write_page
from autogan.report.training import training_page
from autogan.report.writing import watch, write_report

__all__ = ["comparison_page", "search_page", "training_page", "watch", "write_page", "write_report"]

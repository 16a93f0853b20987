"""The tour: what segmint does, on pictures that need no download, as one page.

path = make_tour("segmint-demo")
"""

from segmint.reports.tour.chapters import REPORT, make_tour

__all__ = ["REPORT", "make_tour"]

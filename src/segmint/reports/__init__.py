"""Reports: one HTML file with its pictures inside, to read, to keep and to send."""

from segmint.reports.chart import Chart
from segmint.reports.page import (
    Bar,
    Bars,
    Cell,
    Command,
    Figure,
    Page,
    Panel,
    Section,
    Slider,
    Table,
    render,
    write_page,
)
from segmint.reports.pictures import embed, embed_film

__all__ = [
    "Bar",
    "Bars",
    "Cell",
    "Chart",
    "Command",
    "Figure",
    "Page",
    "Panel",
    "Section",
    "Slider",
    "Table",
    "embed",
    "embed_film",
    "render",
    "write_page",
]

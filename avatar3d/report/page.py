"""report.html: one self-contained page. No script, no network: pictures are data URIs."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import UInt8
from PIL import Image

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
img { max-width: 100%; height: auto; border-radius: 6px; background: #8882 }
figure { margin: 0 } figcaption { font-size: .85rem; opacity: .75; margin-top: .3rem }
.row { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)) }
table { border-collapse: collapse } td, th { text-align: left; padding: .25rem 1rem .25rem 0; vertical-align: top;
border-bottom: 1px solid var(--line) } td.n { text-align: right; font-variant-numeric: tabular-nums }
.mark { display: inline-block; border: 1px solid currentColor; border-radius: 4px; padding: 0 .4em; font-size: .8rem }
.warn { background: var(--soft); border-left: 3px solid #c80; padding: .5rem .8rem; margin: .5rem 0 }
"""
# No script may run and nothing may be fetched, whatever a file name contains (robustness.md T11).
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, eq=False)
class Figure:
    """One captioned picture of the page."""

    caption: str
    pixels: UInt8[np.ndarray, "H W 3"]
    """sRGB."""


@dataclass(frozen=True, eq=False)
class Section:
    """A heading with pictures, then a table of two or three columns."""

    title: str
    figures: Sequence[Figure] = ()
    table: Sequence[Sequence[str]] = ()


def write_page(title: str, warnings: Sequence[str], sections: Sequence[Section]) -> str:
    """The whole page as HTML text; every string is escaped here."""
    body = [
        f"<h1>{escape(title)}</h1>",
        '<p><span class="mark">AI-made</span> Synthetic 3D head, made from one photograph on this machine.</p>',
        *(f'<p class="warn" role="note">{escape(warning)}</p>' for warning in warnings),
        *(_section(section) for section in sections),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def rows_of(pairs: Mapping[str, str]) -> list[tuple[str, str]]:
    """A mapping as the rows of a two-column table."""
    return list(pairs.items())


def _section(section: Section) -> str:
    figures = "".join(_figure(figure) for figure in section.figures)
    table = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in section.table)
    return (
        f"<section><h2>{escape(section.title)}</h2>"
        + (f'<div class="row">{figures}</div>' if figures else "")
        + (f"<table>{table}</table>" if table else "")
        + "</section>"
    )


def _figure(figure: Figure) -> str:
    encoded = io.BytesIO()
    Image.fromarray(figure.pixels).save(encoded, "JPEG", quality=88)
    uri = "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode("ascii")
    height, width = figure.pixels.shape[:2]
    caption = escape(figure.caption)
    return (
        f'<figure><img src="{uri}" width="{width}" height="{height}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )

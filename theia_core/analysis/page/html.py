"""The few parts that pages of results are made of. Arguments named `html` are markup; all else is escaped."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from theia_core.analysis.page.style import STYLE


def page(title: str, lead: str, sections: Sequence[str]) -> str:
    """A whole document.

    Args:
        title: heading and window title.
        lead: one paragraph under the heading.
        sections: from `section`.
    """
    body = "\n".join(sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p class="lead">{escape(lead)}</p>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def section(heading: str, intro: str, *html: str) -> str:
    """A section with a heading, a paragraph (left out if empty) and markup."""
    paragraph = f"<p>{escape(intro)}</p>\n" if intro else ""
    return f"<section>\n<h2>{escape(heading)}</h2>\n{paragraph}" + "\n".join(html) + "\n</section>"


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    kind: str = "numbers",
    meanings: Sequence[str] = (),
) -> str:
    """A table; the first cell of each row heads it.

    Args:
        head: column headings, as text.
        rows: cells, as markup.
        kind: classes that decide its looks: "numbers", "pictures", and for pictures in pairs "pairs", with
            "several" if more than one column has them.
        meanings: a line in small print below each row; none by default.
    """
    headings = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    lines = []
    for index, (first, *others) in enumerate(rows):
        cells = "".join(f"<td>{cell}</td>" for cell in others)
        explained = ' class="explained"' if meanings else ""
        lines.append(f'<tr{explained}><th scope="row">{first}</th>{cells}</tr>')
        if meanings:
            text = escape(meanings[index])
            lines.append(f'<tr class="meaning"><td colspan="{len(head)}">{text}</td></tr>')
    return (
        f'<div class="wide"><table class="{escape(kind)}" style="--columns:{len(head)}">\n'
        f"<thead><tr>{headings}</tr></thead>\n<tbody>\n" + "\n".join(lines) + "\n</tbody></table></div>"
    )


def note(text: str) -> str:
    """A paragraph in small print."""
    return f'<p class="note">{escape(text)}</p>'


def picture(pixels: np.ndarray, alt: str, caption: str = "", photograph: bool = False) -> str:
    """An embedded picture.

    Args:
        pixels: (h, w, 3) uint8 RGB; a few tokens are enlarged by the browser, with sharp edges.
        alt: what it shows.
        caption: text below it.
        photograph: embed as JPEG, and let the browser smooth it.
    """
    data, kind = io.BytesIO(), "jpeg" if photograph else "png"
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.save(data, "JPEG", quality=88) if photograph else image.save(data, "PNG", optimize=True)
    source = f"data:image/{kind};base64,{base64.b64encode(data.getvalue()).decode()}"
    css = "" if photograph else ' class="tokens"'
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><img{css} src="{source}" width="{image.width}" height="{image.height}" '
        f'alt="{escape(alt)}">{below}</figure>'
    )

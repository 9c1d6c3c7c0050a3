"""report.html: one page, no script, no network. Everything that comes from outside is escaped."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from eval.report import page
from eval.report.markdown import left_out
from eval.scoring import Report

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share: f"{100 * share:.1f}"
    environment.filters["at"] = lambda share: f"{100 * share:.2f}"  # a coordinate in a box of 100
    return environment


def render(report: Report) -> str:
    """The report as one self-contained page."""
    from markupsafe import Markup

    style = (TEMPLATES / "style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    rendered = (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            page=page,
            left_out=left_out(),
            # Ours, not the reader's: the policy names its hash, so that no other style applies.
            style=Markup(style),  # noqa: S704
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        )
    )
    return str(rendered)


def in_notebook(report: Report) -> str:
    """The page in a frame of its own, so that neither its style nor a notebook's reaches the other."""
    content = escape(render(report), quote=True)
    return f'<iframe sandbox srcdoc="{content}" width="100%" height="800" title="Scores"></iframe>'

"""The page of `kgmrca serve --ui`, where people try the service: it asks nothing but the service that it comes from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spacy.language import Language

from kgmrca import __version__
from kgmrca.convert import operating_points, takes_threshold, threshold_settings, thresholds_in_force
from kgmrca.pages import SHARED, contents, html_page
from kgmrca.relations import Threshold
from kgmrca.types import coarse_type

__all__ = ["playground"]

_STATIC = Path(__file__).parent / "static"
_FLOOR = 0.05  # the lowest score that the page asks for, so that it need not ask again for another threshold
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "frame-ancestors 'none'",  # of all policies this one cannot stand in the page
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def playground(
    nlp: Language, *, threshold: Threshold | None, endpoint: str | None, max_size: int
) -> tuple[str, Mapping[str, str]]:
    """The page and its headers.

    Args:
        nlp: the pipeline of the service.
        threshold: the score from which the service gives a relation; None: the pipeline's own.
        endpoint: what the endpoint is called that relations can be compared with; None: there is none.
        max_size: the longest body of a request, in bytes.
    """
    points = operating_points(nlp)
    in_force = thresholds_in_force(nlp, threshold_settings(nlp, threshold)).values()
    numbers = [number for number in in_force if isinstance(number, float | int)]
    own = float(numbers[0]) if numbers else points.get("balanced", 0.5)
    data: dict[str, Any] = {
        "version": __version__,
        "pipeline": f"{nlp.meta['lang']}_{nlp.meta['name']}",
        "points": sorted(points.items(), key=lambda point: -point[1]),
        "threshold": own,
        "floor": min(_FLOOR, own, *points.values()) if takes_threshold(nlp) else None,
        "types": {label: coarse_type(label) for labels in nlp.pipe_labels.values() for label in labels},
        "endpoint": endpoint,
        "maxSize": max_size,
    }
    page = html_page(
        title="kgmrca: try it",
        style=contents(SHARED, ["base.css"]) + contents(_STATIC, ["playground.css"]),
        body=contents(_STATIC, ["playground.html"]),
        data=data,
        script=contents(SHARED, ["dom.js"]) + contents(_STATIC, ["turtle.js", "playground.js"]),
        connect="'self'",
    )
    return page, _HEADERS

"""How what ships was made: weights, records, pages, slides, editions for a class.

Vocabulary: a *page* is a notebook as HTML; *slides* show it to a class; an *edition*
has the solutions in place, or left out. A *record* is a file in `notebooks/runs` that
took long to make. Nobody needs any of this to read the series. Commands:

    python -m helpers.workshop.pages build        also refresh, clear
    python -m helpers.workshop.slides
    python -m helpers.workshop.editions
    python -m helpers.workshop.record_search      also _labels, _verifiers, _learning
    python -m helpers.workshop.card               measures abacus
    python -m helpers.workshop.hasty              makes hasty.npz
    python -m helpers.workshop.prm                trains the reward models that ship
"""

__all__ = [
    *("pages", "slides", "editions"),
    *("record_search", "record_labels", "record_verifiers", "record_learning"),
    *("card", "hasty", "prm", "places"),
]

"""The checks of the exercises: they say what is wrong, not only that it is.

Vocabulary: an *exercise* is a cell of a notebook to be filled in; a *check* looks at
the answer and prints its verdict. One module per notebook:

    from helpers.exercises import notebook_05 as check
"""

__all__ = [*(f"notebook_0{i}" for i in range(1, 9)), "notebook_a1"]

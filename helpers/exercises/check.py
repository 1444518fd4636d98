"""All checks under one roof: `from helpers.exercises import check`."""

from helpers.exercises.chapter_1 import (
    exercise_1_1,
    exercise_1_2,
    exercise_1_3,
    exercise_1_4,
    exercise_1_5,
)

__all__ = [
    "exercise_1_1",
    "exercise_1_2",
    "exercise_1_3",
    "exercise_1_4",
    "exercise_1_5",
]

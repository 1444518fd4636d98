"""All checks under one roof: `from helpers.exercises import check`."""

from .notebook_01 import (
    exercise_1_1,
    exercise_1_2,
    exercise_1_3,
    exercise_1_4,
    exercise_1_5,
)
from .notebook_02 import (
    exercise_2_1,
    exercise_2_2,
    exercise_2_3,
    exercise_2_4,
    exercise_2_5,
)
from .notebook_03 import (
    exercise_3_1,
    exercise_3_2,
    exercise_3_3,
    exercise_3_4,
    exercise_3_5,
)
from .notebook_04 import (
    exercise_4_1,
    exercise_4_2,
    exercise_4_3,
    exercise_4_4,
    exercise_4_5,
)
from .notebook_05 import (
    exercise_5_1,
    exercise_5_2,
    exercise_5_3,
    exercise_5_4,
    exercise_5_5,
    exercise_5_6,
)
from .notebook_06 import (
    exercise_6_1,
    exercise_6_2,
    exercise_6_3,
    exercise_6_4,
    exercise_6_5,
    exercise_6_6,
)
from .notebook_07 import (
    exercise_7_1,
    exercise_7_2,
    exercise_7_3,
    exercise_7_4,
    exercise_7_5,
    exercise_7_6,
)
from .notebook_08 import (
    exercise_8_1,
    exercise_8_2,
    exercise_8_3,
    exercise_8_4,
    exercise_8_5,
)
from .notebook_a1 import exercise_a1_1, exercise_a1_2, exercise_a1_3, exercise_a1_4

__all__ = [
    "exercise_1_1",
    "exercise_1_2",
    "exercise_1_3",
    "exercise_1_4",
    "exercise_1_5",
    "exercise_2_1",
    "exercise_2_2",
    "exercise_2_3",
    "exercise_2_4",
    "exercise_2_5",
    "exercise_3_1",
    "exercise_3_2",
    "exercise_3_3",
    "exercise_3_4",
    "exercise_3_5",
    "exercise_4_1",
    "exercise_4_2",
    "exercise_4_3",
    "exercise_4_4",
    "exercise_4_5",
    "exercise_5_1",
    "exercise_5_2",
    "exercise_5_3",
    "exercise_5_4",
    "exercise_5_5",
    "exercise_5_6",
    "exercise_6_1",
    "exercise_6_2",
    "exercise_6_3",
    "exercise_6_4",
    "exercise_6_5",
    "exercise_6_6",
    "exercise_7_1",
    "exercise_7_2",
    "exercise_7_3",
    "exercise_7_4",
    "exercise_7_5",
    "exercise_7_6",
    "exercise_8_1",
    "exercise_8_2",
    "exercise_8_3",
    "exercise_8_4",
    "exercise_8_5",
    "exercise_a1_1",
    "exercise_a1_2",
    "exercise_a1_3",
    "exercise_a1_4",
]

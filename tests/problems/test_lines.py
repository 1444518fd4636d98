"""Which lines of a model only lead to the next: real ones, sorted by hand."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.problems import is_lead, sentence_of, states_answer

LEADS = [
    "", "   ", "\t", "---", "***", "## Step 1: Find the cost", "# Solution",
    "```python", "```", "$$", "\\[", "  \\]", "\\begin{align*}", "\\end{align*}", "-",
    "**Step 2: Calculate the cost**", "**Calculate the cost:**", "**Solution**",
    "1. **Calculate the total cost**:", "First, we add the costs:", "Step 3:",
    "The final answer is:", "**Final answer:**", "- So the cost of the pens is:",
]  # fmt: skip
SENTENCES = [
    "Tom has 3+4 = 7 apples.", "7 \\times 1.50 = 10.50", "- Each pen costs $1.50.",
    "**18**", "**Answer: 18**", "\\boxed{18}", "The answer is: \\boxed{18}",
    "**The answer is 18.**", "total = 3 * 4", "Step 2: 3*4 = 12", "At 9:30 it rains.",
    "Step 2: The total is **15**", "Step 3: So the answer is **18**.", "#### 50%",
    "#### 1/2", "#### -$5", "#### **18**", "#### 18 apples", "### Answer: 18",
    "## The answer is 18", "\\boxed{18}:", "1. The cost is 4.", "#### 18",
    "```python x = 3", "**Step 2: 3*4 = 12**",
]  # fmt: skip


@pytest.mark.parametrize("line", LEADS)
def test_leads(line):
    assert is_lead(line)


@pytest.mark.parametrize("line", SENTENCES)
def test_sentences(line):
    assert not is_lead(line)


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ("a", "a"),
        ("\n\na", "a"),
        ("## Cost\n\nTom pays 3.", "Tom pays 3."),
        ("a\nb", "a\nb"),
        ("a\n", "a\n"),
        ("\n## Cost", "## Cost"),
        ("", ""),
    ],
)
def test_the_sentence_of_a_step(step, sentence):
    assert sentence_of(step) == sentence


@given(st.text(max_size=200))
def test_a_sentence_ends_its_step(step):
    found = sentence_of(step)
    assert step.endswith(found)
    lead = step.removesuffix(found)
    assert all(is_lead(line) for line in lead.split("\n")[:-1])


@pytest.mark.parametrize("part", ["*", " ", "* ", "1. **", "step 1 *", "\\[", ":", "`"])
def test_long_lines_take_no_time(part):
    start = time.process_time()
    is_lead(part * 20_000)
    assert time.process_time() - start < 5  # quadratic ones take minutes


@pytest.mark.parametrize(
    ("text", "is_stated"),
    [
        ("The answer is 18.", True),
        ("So the answer is **$18**.", True),
        ("The answer is that 18 are left", True),
        ("the final answer is \\(\\boxed{\\frac{1}{2}}\\)", True),
        ("Put your answer within \\boxed{}.", False),
        ("Answer:\n\n1. Natalia sold 48/2 = 24 clips in May.", False),
        ("**Answer:**\n\nStep 1: She sold 48.", False),
        ("Answer: 1. She sold 48", False),
        ("#### 1. Find the cost\nThe 3 pens cost 3*5 = 15 dollars.", False),
        ("To find the answer: add 3 apples and 4 pears.", False),
        ("The answer is found by adding 5 and 7.", False),
        ("The answer is not 18.", False),
        ("Answer: $18", True),
        ("#### 18", True),
        ("", False),
    ],
)
def test_which_texts_state_an_answer(text, is_stated):
    assert states_answer(text) is is_stated

"""A language model with known sentences, for tests of what stands above one."""

from helpers.llm import Step, derive_seed


class ScriptedLLM:
    """A model whose sentences are known: `script(last line)` lists what may follow.

    A trained model would make every expected value a stored one; with a script it is
    found by counting. Samples go through the list in turn, or are drawn with
    `drawn=True`. A step costs one token a letter and one for its newline. It keeps
    account of what it handed out.
    """

    def __init__(self, script, drawn=False):
        self.script, self.drawn = script, drawn
        self.calls, self.tokens = [], 0

    def sample(self, prompt, k, seed=None, image=None):
        options = self.script(prompt.splitlines()[-1])
        self.calls.append((prompt, k, seed))
        steps = []
        for i in range(k):
            place = derive_seed(seed, prompt, i) if self.drawn else i
            text = options[place % len(options)]
            steps.append(Step(text, len(text) + 1, -1.0, "stop"))
        self.tokens += sum(step.tokens for step in steps)
        return steps

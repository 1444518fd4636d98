"""A model that answers in its own way: a whole text, told part by part.

It says what it has in mind, whatever it is asked, and goes on where the prompt ends: so
the steps of an episode, put together, must be that text again.
"""

from helpers.llm import FORMS, Step, derive_seed


class Chatty:
    """texts: what it has in mind, one of them by the seed of a sample.

    tells_end: whether it says that its turn is over, as a GGUF file does; a server of
    Ollama answers with an empty line, again and again.
    """

    model = "chatty"

    def __init__(self, *texts, tells_end=True, form="think"):
        self.texts, self.tells_end, self.form = texts, tells_end, FORMS[form]
        self.asked, self.tokens = [], 0

    def at_temperature(self, temperature):
        return self

    def sample(self, prompt, k, seed=None, image=None, stop="\n"):
        self.asked.append((prompt, k))
        said = prompt.partition("step by step.\n")[2]
        begun = [text for text in self.texts if text.startswith(said)]
        steps = []
        for i in range(k):
            text = begun[derive_seed(seed, said, i) % len(begun)] if begun else said
            line, stopped, _ = text.removeprefix(said).partition(stop)
            reason = "stop" if stopped or not self.tells_end else "end"
            tokens = len(line.split()) + 1
            self.tokens += tokens
            steps.append(Step(line.strip(), tokens, -0.5, reason, line))
        return steps

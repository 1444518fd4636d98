"""A word problem as an episode: the chain-of-thought environment.

Vocabulary: a *problem* is a question and its gold answer. The *state* is the text so
far: the prompt (task, examples, question), then every step with "\\n" after it; it is
what the language model reads. An *action* is one step: one sentence without a newline,
from a model or a person.

Covers: the Markov decision process in Gymnasium's interface, the prompt, `fork()` for
search. Does not cover: merging samples into actions with priors (`llm/proposal.py`),
trees (`search/tree.py`), reading answers (`problems/grading.py`).
After `CoTEnv` of TSLLM (Feng et al. 2023, arXiv:2309.17179); no code is taken from it.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Text

from helpers.llm import Action, LLMGen, Proposal, merge_steps
from helpers.problems import Answer, extract_answer, format_example, sentence_of

ATTEMPTS = 3  # batches sampled at a state before an all-empty answer is believed


@dataclass(frozen=True)
class Problem:
    """A question and its gold answer: "18", or a solution that ends "#### 18"."""

    question: str
    answer: str
    image: str | None = None  # base64, for a model that sees


class AnyText(Text):
    """The space of all strings; length and characters only shape `sample()`.

    Of Gymnasium's vector environments, the asynchronous one needs
    `shared_memory=False`, because it would share an alphabet.
    """

    def contains(self, x: Any) -> bool:
        """Is x a string?"""
        return isinstance(x, str)


def choose_problem(options: dict[str, Any] | None, default: Problem) -> Problem:
    """The problem that the options of a reset name, else the default."""
    options = {"problem": default} | (options or {})
    if [*options] != ["problem"] or not hasattr(options["problem"], "question"):
        raise ValueError('Type reset(options={"problem": Problem(question, answer)}).')
    return options["problem"]


class CoTEnv(gymnasium.Env[str, str], ABC):
    """A question is answered one sentence at a time.

    Starting state   the prompt: task, solved examples (if `is_few_shot`), question.
    Action           one sentence; the observation is the state.
    Reward           0 until the end, then `get_reward()`.
    Episode end      terminated: the action holds `stop_string` (in any case);
                     truncated: `max_steps` actions without it.
    Information      "steps" taken, "tokens" sampled; once ended, the "answer" given.
                     The gold answer shows neither here nor in the state.
    Randomness       `reset(seed=...)` fixes every proposal, in whatever order the
                     states are visited; `max_actions` is the number k of samples.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 1}
    delimiter = "\n"  # what ends a step

    def __init__(
        self, problem: Problem, llm_gen: LLMGen, task_description: str,
        cot_examples: Sequence[Mapping[str, str]], problem_format: str,
        stop_string: str, max_actions: int = 2, max_steps: int = 10,
        is_few_shot: bool = True, *, render_mode: str | None = None,
    ) -> None:  # fmt: skip
        if max_actions < 1 or max_steps < 1:
            raise ValueError("Set max_actions and max_steps to 1 or more.")
        self.problem, self.llm_gen = problem, llm_gen
        self.task_description = task_description
        self.cot_examples, self.is_few_shot = cot_examples, is_few_shot
        self.problem_format, self.stop_string = problem_format, stop_string
        self.max_actions, self.max_steps = max_actions, max_steps
        self.render_mode = render_mode
        self.observation_space, self.action_space = AnyText(200), AnyText(80)
        self.prompt: str | None = None  # None until the first reset

    @abstractmethod
    def get_reward(self) -> float:
        """Return the reward of the finished chain; asked once, at its end."""

    @abstractmethod
    def is_valid(self) -> bool:
        """Does the chain end in an answer that the grader can read?"""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begin an episode; `options={"problem": Problem(...)}` changes the problem."""
        super().reset(seed=seed)
        if seed is None:
            seed = int(self.np_random.integers(2**31))
        self._seed = seed
        self.problem = choose_problem(options, self.problem)
        self.prompt = self._build_prompt()
        self.steps: tuple[str, ...] = ()
        self.terminated, self.truncated, self.tokens_sampled = False, False, 0
        self._proposals: dict[tuple[tuple[str, ...], int], Proposal] = {}
        return self.state, self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Append one sentence; errors: no reset, episode over, not one sentence."""
        if self.ended:
            raise ResetNeeded("The episode has ended. Begin another: env.reset().")
        if not isinstance(action, str) or not action.strip():
            raise ValueError(f"An action is one sentence of text; got {action!r}.")
        if self.delimiter in sentence_of(action):
            raise ValueError(f"One action is one line; step once per line: {action!r}.")
        self.steps += (action,)
        self.terminated = self.is_last(action)
        cut = len(self.steps) >= self.max_steps
        self.truncated = cut and not self.terminated
        reward = float(self.get_reward()) if self.ended else 0.0
        return self.state, reward, self.terminated, self.truncated, self._info()

    def is_last(self, action: str) -> bool:
        """Does this sentence end the episode? It does if it holds the stop string."""
        return self.stop_string.casefold() in action.casefold()

    @property
    def state(self) -> str:
        """What the language model reads: the prompt and each step with "\\n" after."""
        prompt = self._require_reset()
        return prompt + "".join(step + self.delimiter for step in self.steps)

    @property
    def ended(self) -> bool:
        """Is the episode over, one way or the other?"""
        self._require_reset()
        return self.terminated or self.truncated

    @property
    def answer(self) -> Answer:
        """The answer that the last line of a terminated chain states; else none."""
        return extract_answer(self.steps[-1] if self.terminated else "")

    @property
    def legal_actions(self) -> tuple[Action, ...]:
        """The distinct ones of `max_actions` samples; none at the end, or where the
        model has nothing to say (a dead end). Sampled when first asked for."""
        return self.propose(self.max_actions).actions

    def propose(self, k: int) -> Proposal:
        """Sample k steps at this state, once; forks share what was sampled."""
        if self.ended:
            return Proposal((), 0)
        if (self.steps, k) not in self._proposals:
            self._proposals[self.steps, k] = self._sample(k)
        return self._proposals[self.steps, k]

    def _sample(self, k: int) -> Proposal:
        actions, tokens = (), 0
        for attempt in range(ATTEMPTS):
            seed = (self._seed + attempt) % 2**31  # the range of a model's seeds
            steps = self.llm_gen.sample(self.state, k, seed, self.problem.image)
            tokens += sum(step.tokens for step in steps)
            actions = merge_steps(steps)
            if actions:
                break
        self.tokens_sampled += tokens
        return Proposal(actions, tokens)

    def fork(self) -> "CoTEnv":
        """Return an independent copy at this state; only proposals are shared, and
        its `tokens_sampled` begins at 0, so that the counts of all copies add up."""
        other = copy.copy(self)
        other.np_random = copy.deepcopy(self.np_random)
        other.tokens_sampled = 0
        return other

    def render(self) -> str | None:
        """With `render_mode="ansi"`: the question and the numbered steps."""
        if self.render_mode != "ansi":
            return None
        told = (" ".join(step.split()) for step in self.steps)
        lines = [f"{i:2}. {step}" for i, step in enumerate(told, start=1)]
        return "\n".join([f"Question: {self.problem.question}", *lines])

    def _build_prompt(self) -> str:
        form, stop = self.problem_format, self.stop_string
        examples = self.cot_examples if self.is_few_shot else ()
        shown = [format_example(example, form, stop) for example in examples]
        question = form.format(question=self.problem.question)
        return self.task_description + "".join(shown) + question

    def _require_reset(self) -> str:
        if self.prompt is None:
            raise ResetNeeded("No episode has begun yet. Call env.reset() first.")
        return self.prompt

    def _info(self) -> dict[str, Any]:
        info: dict[str, Any] = {"steps": len(self.steps), "tokens": self.tokens_sampled}
        if self.ended:  # what the chain says, not what is right
            value = self.answer.value
            info["answer"] = str(value) if self.is_valid() else None
        return info

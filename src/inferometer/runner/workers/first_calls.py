"""The first calls of a shape: what the very first takes, and what they show of the model."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from inferometer.core.errors import WorkloadError
from inferometer.core.finish import completed
from inferometer.core.model import Inputs
from inferometer.core.protocols import ChoosesGradientMode, GradientTrial, Session
from inferometer.core.statement import Statement, text
from inferometer.runner.workers.calls import Calls, Manner, Marks


class FirstCalls:
    """Makes the first call of a shape in this process, and one or two more where needed.

    The first is made in the mode that every model bears, with its inputs watched. What it shows
    goes into `manner`, for this shape and all that follow.

    Args:
        session: what is called.
        placed: inputs of the first call.
        manner: how the model has to be called, as far as it is known.
        again: makes and places the same inputs once more.
        outcome: looks at what the first call gives; its remark becomes a note.

    Attributes:
        calls: those that follow.
        notes: what the first call showed of this shape.
        variant_notes: what it showed of the model at any shape.
    """

    def __init__(
        self,
        session: Session,
        placed: Inputs,
        manner: Manner,
        again: Callable[[], Inputs],
        outcome: Callable[[object], str | None] = lambda _: None,
    ) -> None:
        self.session = session
        self.manner = manner
        self.calls = Calls(session, placed, manner)
        self.notes: list[Statement] = []
        self.variant_notes: list[Statement] = []
        self._placed = placed
        self._again = again
        self._outcome = outcome

    def make(self) -> float:
        """Seconds of the first call.

        Raises:
            WorkloadError: (non_finite_output) its output holds NaN or infinity; (unsupported) it
                gives work that is not done, or its output is not of the batch.
            Exception: whatever the model raises.
        """
        marks = Marks(self._placed, summed=True)
        trial = self._trial()
        first_call_s = self._first(trial)
        if self.manner.fresh or marks.changed():
            self.manner.fresh = True
            self.notes.append(Statement("changes_inputs"))
        if trial is not None:
            reason = trial.choose(self._one_more)
            self.variant_notes += [] if reason is None else [text(reason)]
        if self.manner.fresh:
            self._placed = self._again()  # the first call changed the others
            self.calls = Calls(self.session, self._placed, self.manner)
        return first_call_s

    def _trial(self) -> GradientTrial | None:
        session = self.session
        return session.gradient_trial() if isinstance(session, ChoosesGradientMode) else None

    def _first(self, trial: GradientTrial | None) -> float:
        try:
            return self._timed(trial)
        except RuntimeError as error:
            if not self._is_of_mode(error):
                raise
        self.variant_notes.append(Statement("late_refusal"))
        self._placed = self._again()
        self.calls = Calls(self.session, self._placed, self.manner)
        return self._timed(trial)

    def _is_of_mode(self, error: RuntimeError) -> bool:
        """Whether inference mode, which served for other shapes, is the reason; leaves it then."""
        session = self.session
        if not isinstance(session, ChoosesGradientMode) or session.gradient_mode == "no_grad":
            return False
        if "inference" not in str(error).lower() and "grad" not in str(error).lower():
            return False
        session.settle_gradient_mode("no_grad")
        return True

    def _timed(self, trial: GradientTrial | None) -> float:
        call = self.session.bind(self._placed)
        with self.session.running():
            begin = time.perf_counter()
            output, self.manner.finish = completed(call())
            first_call_s = time.perf_counter() - begin
            self._look_at(output)
            if trial is not None:
                trial.saw(output)
        return first_call_s

    def _look_at(self, output: object) -> None:
        problem = self.session.non_finite(output)
        if problem:
            raise WorkloadError("non_finite_output", problem)
        remarks = (self.session.minus_infinite(output), self._outcome(output))
        self.notes += [text(remark) for remark in remarks if remark]
        if self.manner.finish is not None:
            self.notes.append(Statement("late_promise"))

    def _one_more(self) -> Any:  # noqa: ANN401 - whatever the model gives
        """The output of one call with inputs like the first's."""
        inputs = self._again() if self.manner.fresh else self._placed
        output = self.session.bind(inputs)()
        return output if self.manner.finish is None else self.manner.finish(output)

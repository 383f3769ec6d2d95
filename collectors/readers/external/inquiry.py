"""Questions to one product: each is put once, several at a time, none after the time is over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from collectors.readers.external.port import Adapter, Counted, Steps
from collectors.readers.prometheus.answers import instant
from collectors.readers.prometheus.clock import Deadline
from slo.errors import AuthenticationFailed, SourceError, SourceTimeout
from slo.ports import Evidence, EvidenceStatus
from slo.records import dataclass
from slo.units import Duration

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query and the steps that it is asked for."""

    query: str
    steps: Steps


class Inquiry:
    """The questions of one piece of work; ``timeout`` bounds each of them, ``until`` all."""

    def __init__(self, adapter: Adapter, *, timeout: Duration, until: Deadline) -> None:
        self._adapter = adapter
        self._timeout = float(timeout.seconds)
        self._until = until
        self._refused: AuthenticationFailed | None = None

    def answers(self, questions: Iterable[Question]) -> Mapping[Question, Counted | SourceError]:
        """Return for each question its answer, or why there is none."""
        once = list(dict.fromkeys(questions))
        if len(once) < 2:  # noqa: PLR2004 - one question needs no thread
            return {each: self._answer(each) for each in once}
        with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(once))) as pool:
            return dict(zip(once, pool.map(self._answer, once), strict=True))

    def _answer(self, question: Question) -> Counted | SourceError:
        # Who was turned away is turned away again, and locked out after some times.
        if self._refused is not None:
            return self._refused
        left = self._until.remaining()
        if left <= 0:
            return self._too_late()
        try:
            return self._adapter.count(
                question.query, question.steps, within=min(left, self._timeout)
            )
        except AuthenticationFailed as refusal:
            self._refused = refusal
            return refusal
        except SourceError as error:
            return error

    def _too_late(self) -> SourceTimeout:
        name = self._adapter.reference
        return SourceTimeout(
            f"{name}: the time to read was over before it could be asked",
            source=name,
            hint="ask for fewer applications at once, or give more time with --timeout",
        )


def evidence_of(reference: str, question: Question, answer: Counted | SourceError) -> Evidence:
    """Return the record of a question that was put."""
    start, end = question.steps.start, instant(question.steps.end_ms)
    if isinstance(answer, SourceError):
        return Evidence(
            source=reference,
            query=question.query,
            start=start,
            end=end,
            observed_at=None,
            status=EvidenceStatus.ERROR,
            detail=str(answer),
        )
    found = any(each is not None for each in answer.numbers)
    return Evidence(
        source=reference,
        query=question.query,
        start=start,
        end=end,
        observed_at=end if found else None,
        status=EvidenceStatus.OK if found else EvidenceStatus.MISSING,
        sha256=_digest(answer),
    )


def _digest(answer: Counted) -> str:
    texts = [None if each is None else str(each) for each in answer.numbers]
    return hashlib.sha256(json.dumps(texts, separators=(",", ":")).encode()).hexdigest()

"""What the agents of the demo did, in log entries: runs, most of which go well."""

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from core_tables.demo.places import Setting
from core_tables.models import Log, Message

RUNS = 10  # a room
MODELS = {"TEXT_SMALL": 380, "TEXT_LARGE": 1900, "TEXT_EMBEDDING": 24}  # with usual milliseconds
ERRORS = {"error": "The model refused: too many requests.", "timeout": "No answer within 60 s."}
ENDS = ("completed",) * 17 + ("error", "error", "timeout")


def logs(setting: Setting, said: Sequence[Message]) -> Iterator[Log]:
    """Yield a run for each of the newest messages that people wrote; the last one of the first room is still on."""
    for hall in setting.halls:
        own = (message for message in said if message.room_id == hall.room.pk and message.author_id != setting.self.pk)
        newest = list(own)[-RUNS:]
        for message in newest:
            still_on = hall is setting.halls[0] and message is newest[-1]
            yield from _Run(setting, message).entries(still_on=still_on)


class _Run:
    """One run: its entries follow each other by some hundred milliseconds."""

    def __init__(self, setting: Setting, message: Message) -> None:
        self.setting, self.message = setting, message
        self.dice = setting.seed.dice("run", message.pk)
        self.id = str(setting.seed.id("run", message.pk))
        self.moment = message.created_at
        self.number = 0

    def entries(self, *, still_on: bool) -> Iterator[Log]:
        """Yield the entries, without the last one where the run is still on."""
        yield self._event("started")
        yield self._model("TEXT_EMBEDDING")
        yield self._model("TEXT_SMALL")
        end = self.dice.choice(ENDS)
        for action in self.dice.sample(self.setting.part.actions, self.dice.randint(1, 2)):
            yield self._model("TEXT_LARGE")
            yield self._action(action, well=end == "completed" or self.dice.one_in(3))
        if still_on:
            return
        yield self._entry("evaluator", 150, {"evaluator": "REFLECTION", "result": {"facts": self.dice.randint(0, 3)}})
        if self.dice.one_in(20):
            yield self._entry("embedding_event", 30, {"status": "failed", "error": "The embedder gave no answer."})
        yield self._event(end)

    def _event(self, status: str) -> Log:
        body = {"status": status, "messageId": str(self.message.pk), "source": self.message.source_type}
        if status in ERRORS:
            body["error"] = ERRORS[status]
        return self._entry("run_event", 60_000 if status == "timeout" else 20, body)

    def _model(self, name: str) -> Log:
        took = round(MODELS[name] * (0.6 + self.dice.random()))
        prompt = f"{self.setting.agent.name} reads: {self.message.content}"
        body = {"modelType": name, "prompt": prompt, "executionTime": took, "provider": "local"}
        body["usage"] = {"prompt": self.dice.randint(200, 2400), "completion": self.dice.randint(5, 300)}
        return self._entry(f"useModel:{name}", took, body)

    def _action(self, name: str, *, well: bool) -> Log:
        result: dict[str, Any] = {"success": well, "text": "Done." if well else f"{name} could not be done."}
        if not well:
            result["error"] = "HTTPError: 503 Service Unavailable"
        body = {"action": name, "messageId": str(self.message.pk), "result": result, "promptCount": 1}
        return self._entry("action", 90, body)

    def _entry(self, kind: str, milliseconds: int, body: dict[str, Any]) -> Log:
        self.moment += datetime.timedelta(milliseconds=milliseconds + self.dice.randint(1, 60))
        self.number += 1
        return Log(
            pk=self.setting.seed.id("log", self.id, self.number),
            agent=self.setting.agent,
            entity=self.message.author,
            room=self.message.room,
            type=kind,
            body={"runId": self.id, **body},
            created_at=self.moment,
        )

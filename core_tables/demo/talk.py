"""What was said in the rooms of the demo: threads, each about one thing."""

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from core_tables.demo.places import Hall, Known, Setting
from core_tables.demo.seed import Dice
from core_tables.models import Entity, Message

IN_A_ROOM = 125
SPAN = datetime.timedelta(days=1.1)  # from thread to thread
LAST = datetime.timedelta(minutes=70)  # before now begins the last thread: it is over by then
DAWN, DUSK = 7, 20
SENTENCE = re.compile(r"(^|[.!?] )([a-z])")


def messages(setting: Setting) -> Iterator[Message]:
    """Yield what was said, room by room, oldest first."""
    for hall in setting.halls:
        threads: list[list[Message]] = []
        while (left := IN_A_ROOM - sum(map(len, threads))) > 0:
            threads.append(list(islice(_thread(setting, hall, len(threads)), left)))
        yield from chain.from_iterable(reversed(threads))


def sentence(text: str, filled: Mapping[str, str]) -> str:
    """Return a text with its slots filled, its sentences beginning with capitals."""
    return SENTENCE.sub(lambda found: found[1] + found[2].upper(), text.format_map(filled))


def _thread(setting: Setting, hall: Hall, number: int) -> Iterator[Message]:
    """Yield a thread; the one with the number 0 is the newest."""
    dice = setting.seed.dice(setting.part.key, hall.place.key, "thread", number)
    asker, filled = _cast(setting, hall, dice)
    moment = _daytime(setting.now - LAST - SPAN * (number + dice.random() / 2) if number else setting.now - LAST)
    opener: Message | None = None
    for line, (speaker, text) in enumerate(_lines(setting, hall, dice, asker)):
        key = setting.seed.id("message", hall.room.pk, number, line)
        message = Message(
            pk=key,
            room=hall.room,
            author=speaker,
            content=sentence(text, filled),
            in_reply_to=None if dice.one_in(3) else opener,
            created_at=moment,
            **_source(hall, key, speaker, dice),
        )
        opener = opener or message
        moment += datetime.timedelta(seconds=dice.randint(20, 600))
        yield message


def _cast(setting: Setting, hall: Hall, dice: Dice) -> tuple[Known, dict[str, str]]:
    asker = dice.choice(hall.people)
    others = [known for known in setting.people if known is not asker]
    first_names = [known.person.names[0].split()[0] for known in (asker, dice.choice(others))]
    return asker, hall.place.topic.filled(dice, *first_names)


def _lines(setting: Setting, hall: Hall, dice: Dice, asker: Known) -> Iterator[tuple[Entity, str]]:
    """Yield who says what: somebody begins, the agent comes in sooner or later, thanks come last as in the lists."""
    topic = hall.place.topic
    yield asker.entity, dice.choice(topic.openers)
    turns = _some(topic.turns, dice.randint(2, 5), dice)
    answers = _some(topic.answers, dice.randint(1, 2), dice)
    answer_at = dice.randint(0, 2)
    last = asker
    for line, turn in enumerate(turns):
        if answers and (line == answer_at or dice.one_in(5)):
            yield setting.self, answers.pop(0)
        # Nobody answers themselves, where there is somebody else.
        last = dice.choice([known for known in hall.people if known is not last] or hall.people)
        yield last.entity, turn
    if answers:
        yield setting.self, answers[0]


def _some(texts: Sequence[str], count: int, dice: Dice) -> list[str]:
    """Return some of the texts in their order."""
    return [texts[place] for place in sorted(dice.sample(range(len(texts)), min(count, len(texts))))]


def _daytime(moment: datetime.datetime) -> datetime.datetime:
    """Return the moment, or one on the evening before it: at night people sleep."""
    if moment.hour < DAWN:
        return moment - datetime.timedelta(hours=moment.hour + 24 - DUSK)
    return moment - datetime.timedelta(hours=max(moment.hour - DUSK, 0))


def _source(hall: Hall, key: Any, speaker: Entity, dice: Dice) -> dict[str, Any]:
    source, number = hall.place.source, str(key.int % 10**18)
    found: dict[str, Any] = {"source_type": source, "source_id": number, "metadata": {"channel": hall.place.channel_id}}
    found["raw_message"] = {"id": number, "channel": hall.place.channel_id, "author": speaker.names[0]}
    if dice.one_in(30):
        name = f"{hall.place.key}-{number[:3]}.jpg"
        found["raw_message"]["attachments"] = [{"title": name, "url": f"https://files.example/{name}", "size": 48_213}]
    return found

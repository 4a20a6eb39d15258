"""What the agents of the demo remember: messages, facts, some of them twice or void by now, and documents."""

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from core_tables.demo.places import Hall, Setting
from core_tables.demo.seed import Dice
from core_tables.demo.talk import sentence
from core_tables.models import Entity, Memory, Message

# A room.
MESSAGES, FACTS, AGAIN = 104, 50, 5
DAY = datetime.timedelta(days=1)
EVERY = 10  # one fact in so many has expired, and one will
TOGETHER = 2  # sentences in a fragment; the second is the first of the next one


def memories(setting: Setting, said: Sequence[Message]) -> Iterator[Memory]:
    """Yield the memories of all rooms."""
    for hall in setting.halls:
        own = [message for message in said if message.room_id == hall.room.pk]
        yield from (_of_message(setting, hall, message) for message in own[-MESSAGES:])
        yield from _facts(setting, hall)
        yield from _document(setting, hall)


def _memory(setting: Setting, hall: Hall, kind: str, text: str, *path: object, **fields: Any) -> Memory:
    content = {"text": text, "source": hall.place.source}
    return Memory(
        pk=setting.seed.id("memory", hall.room.pk, kind, *path),
        type=kind,
        content=content,
        agent=setting.agent,
        room=hall.room,
        world_id=setting.world.pk,
        **fields,
    )


def _of_message(setting: Setting, hall: Hall, message: Message) -> Memory:
    metadata = {"type": "message", "source": hall.place.source, "scope": "room", "messageId": str(message.pk)}
    moment = message.created_at + datetime.timedelta(seconds=2)
    fields = {"entity": message.author, "metadata": metadata, "created_at": moment}
    return _memory(setting, hall, "messages", message.content, message.pk, **fields)


def _facts(setting: Setting, hall: Hall) -> Iterator[Memory]:
    dice = setting.seed.dice(setting.part.key, hall.place.key, "facts")
    texts: set[str] = set()
    while len(texts) < FACTS:
        entity, text = _fact(setting, hall, dice)
        if text in texts:
            continue
        number = len(texts)
        texts.add(text)
        fields = _fact_fields(setting, hall, dice, number)
        yield _memory(setting, hall, "facts", text, number, entity=entity, **fields)
        if number < AGAIN:
            moment = fields["created_at"] + dice.random() * DAY
            fields |= {"created_at": min(moment, setting.now), "unique": False}
            yield _memory(setting, hall, "facts", f"{text[:-1]}!", number, "again", entity=entity, **fields)


def _fact(setting: Setting, hall: Hall, dice: Dice) -> tuple[Entity, str]:
    known, other = dice.sample(setting.people, 2)
    first_names = (person.names[0].split()[0] for person in (known.person, other.person))
    filled = hall.place.topic.filled(dice, *first_names)
    return known.entity, sentence(dice.choice(hall.place.topic.facts), filled)


def _fact_fields(setting: Setting, hall: Hall, dice: Dice, number: int) -> dict[str, Any]:
    written = setting.now - dice.random() * 100 * DAY
    ends = {3: setting.now - dice.random() * 3 * DAY, 4: setting.now + dice.random() * 9 * DAY}.get(number % EVERY)
    return {
        "metadata": {
            "importance": dice.randint(1, 10),
            "confidence": round(0.5 + dice.random() / 2, 2),
            "about": hall.place.topic.title,
        },
        "created_at": min(written, ends - DAY) if ends else written,
        "expires_at": ends,
    }


def _document(setting: Setting, hall: Hall) -> Iterator[Memory]:
    """Yield what the room has to read, and the fragments that are searched in its place."""
    topic, written = hall.place.topic, setting.now - 90 * DAY
    stamp = int(written.timestamp() * 1000)
    about = {"title": topic.title, "filename": f"{hall.place.key}.md", "timestamp": stamp}
    text = f"{topic.title}\n\n" + "\n".join(topic.manual)
    metadata: dict[str, Any] = {"type": "document", **about}
    document = _memory(setting, hall, "documents", text, metadata=metadata, created_at=written)
    yield document
    for position in range(len(topic.manual) - TOGETHER + 1):
        text = " ".join(topic.manual[position : position + TOGETHER])
        metadata = {"type": "fragment", "documentId": str(document.pk), "position": position, **about}
        yield _memory(setting, hall, "knowledge", text, position, metadata=metadata, created_at=written)

"""Milo, who keeps a software company's releases on time on Slack."""

from core_tables.demo.material import Chore, Part, Person, Place, Topic

RELEASE = Topic(
    slots={
        "version": ("4.2", "4.2.1", "4.3", "5.0 beta", "5.0"),
        "piece": ("the importer", "single sign-on", "the billing page", "dark mode", "the public API"),
        "blocker": ("a failing migration", "missing translations", "the security review", "a slow query"),
    },
    openers=(
        "Are we still on for {version} on {day}?",
        "{piece} is merged. What is left for {version} is {blocker}.",
        "I would like to move {piece} out of {version}. Objections?",
        "Release notes for {version}: I need one sentence on {piece} by {day}.",
        "{number} tickets are open for {version}, and two of them frighten me.",
        "Who signs off {version} while {other} is away?",
    ),
    turns=(
        "No objection. {piece} can wait for the next one.",
        "I would rather ship late than ship {blocker}.",
        "{blocker} is solved on my branch, the review is with {other}.",
        "Customers ask for {piece} every week. Please keep it in.",
        "I can write the sentence: it works now, and it did not before.",
        "Staging has had {version} for {number} hours without an error.",
        "If it is not green by noon on {day}, we wait.",
        "Green on my side.",
        "Could somebody test {piece} with an account from 2019?",
        "I am out on {day}; {other} has my vote.",
    ),
    answers=(
        "Plan for {version}: freeze on {day}, {piece} in, {blocker} to be closed by {other}.",
        "Open for {version}: {number} tickets. I asked the owners of the two red ones for a date.",
        "Decision noted: {piece} moves out of {version}. The notes and the board say so.",
        "Reminder set: {who} tests {piece} on {day}.",
        "{other} signs off while {who} is away.",
        "The last three releases slipped because of {blocker}. I suggest to begin with it.",
    ),
    facts=(
        "{who} owns {piece}.",
        "{who} signs off release {version}.",
        "{who} wants {piece} out of {version}.",
        "{who} solved {blocker} in {number} hours.",
        "{who} is away on {day} and {other} decides meanwhile.",
        "{who} tests {piece} with an account from 2019.",
    ),
    title="Release checklist",
    manual=(
        "The freeze begins two working days before a release; after it, only what blocks the release is merged.",
        "Every change has a sentence in the release notes that a customer would understand.",
        "Migrations run on a copy of production first, and their duration is written into the plan.",
        "Staging carries a release for at least 24 hours without a new kind of error.",
        "One person signs off, and another one presses the button.",
        "There is no release after noon on a Friday, and none on the day before a holiday.",
        "The way back is tried out before the way forward: restore the old version on staging.",
        "After the release, somebody watches errors and queue lengths for one hour.",
        "Flags that are on for everybody for a month are taken out of the code.",
        "What slipped is told to customers by the person who promised it.",
    ),
)
INCIDENT = Topic(
    slots={
        "service": ("checkout", "the search", "the mail queue", "the login", "the report builder"),
        "effect": ("answers after nine seconds", "returns errors", "sends everything twice", "is down in one region"),
        "cause": ("a full disk", "an expired certificate", "a lock on the orders table", "a retry storm", "a bad flag"),
    },
    openers=(
        "{service} {effect}. I am looking.",
        "Alert: {service} {effect} since {number} minutes ago.",
        "Is it only me, or does {service} misbehave?",
        "Review of the incident with {service} is on {day} at ten.",
    ),
    turns=(
        "Confirmed, I see it too.",
        "Looks like {cause}.",
        "I turned the flag off, watch the graph.",
        "It is going down. {number} errors a minute, from a thousand.",
        "{other} is on call and on the way to a laptop.",
        "Customers notice; support has {number} tickets.",
        "Fixed. It was {cause}, as it always is.",
        "I will write the review by {day}.",
    ),
    answers=(
        "I opened an incident: {service} {effect}. {who} leads, {other} writes.",
        "{cause} was also the cause in spring. The notes of that day are linked.",
        "The status page says since when, and that we know. Next update in {number} minutes.",
        "Closed after {number} minutes. The review is on {day}.",
    ),
    facts=(
        "{who} led the incident in which {service} {effect}.",
        "{who} found {cause} behind it.",
        "{who} is on call from {day}.",
        "{who} writes the review of the incident with {service} by {day}.",
    ),
    title="When something breaks",
    manual=(
        "Whoever notices first opens the incident; it is no shame if it turns out to be nothing.",
        "One person leads, one writes down what happens with times, and the rest help or stay out.",
        "First make it stop hurting customers, then find out why.",
        "The status page is updated within fifteen minutes, and every thirty after that.",
        "Certificates are renewed thirty days before they expire; an alert at fourteen days means that failed.",
        "A review names causes and never people.",
        "Every review ends with at most three actions, each with an owner and a day.",
        "A disk is full at 80 percent.",
    ),
)
MONEY = Topic(
    slots={
        "client": ("Harbour Books", "Lindqvist AB", "Casa Verde", "Bright & Sons", "the city museum"),
        "matter": ("the March invoice", "the deposit", "the yearly licence", "the credit note", "the travel costs"),
        "state": ("is overdue", "was paid twice", "has the wrong address", "went to the old contact", "is approved"),
    },
    openers=(
        "{matter} for {client} {state}.",
        "Can somebody send {client} {matter} again?",
        "{client} asks for a purchase order number on {matter}.",
        "Month end is on {day}. {number} invoices are still drafts.",
    ),
    turns=(
        "I sent it on {day}, to accounts and not to the person.",
        "They pay within {number} days, always have.",
        "The amount is right, the address is not.",
        "{other} knows somebody there.",
        "Let us wait until {day} before we remind them.",
        "Approved from my side.",
    ),
    answers=(
        "{matter} for {client} {state}. I drafted a friendly reminder for {who}.",
        "I corrected the address of {client}; {matter} goes out on {day}.",
        "{number} invoices are open, the oldest is that of {client}.",
        "{other} has to approve {matter}; I asked.",
    ),
    facts=(
        "{who} handles {client}.",
        "{who} said that {matter} for {client} {state}.",
        "{who} approves amounts up to {number} thousand.",
        "{who} wants reminders to {client} to be friendly.",
    ),
    title="Invoices from draft to paid",
    manual=(
        "An invoice leaves within three days after the work was accepted.",
        "The address, the tax number and the purchase order are checked against the contract.",
        "The first reminder is friendly and goes out seven days after the date; the second names a day.",
        "Amounts over ten thousand need two approvals, of which one is from finance.",
        "A payment that came twice is sent back within a week, without being asked.",
        "Credit notes carry the number of the invoice that they correct.",
        "Nobody changes a bank account because of an e-mail; call the number that we know.",
    ),
)
LUNCH = Topic(
    slots={
        "food": ("dumplings", "the soup place", "falafel", "the noodle bar", "the canteen", "ramen"),
        "mood": ("starving", "undecided", "in a meeting until one", "on a diet since yesterday", "paying"),
    },
    openers=(
        "Lunch? I am {mood}.",
        "{food} on {day}, who is in?",
        "There is cake in the kitchen, {number} slices, and I have counted them.",
    ),
    turns=(
        "In, if it is {food}.",
        "I am {mood}, go without me.",
        "{other} and I are at {food} already, there is room for two.",
        "Can we not talk about the release this time?",
        "Ten minutes.",
    ),
    answers=(
        "{number} votes for {food}. I reserved a table on {day} at half past twelve.",
        "{other} is allergic to nuts: {food} has a list, I checked.",
        "The canteen has soup today. I say nothing about it.",
    ),
    facts=(
        "{who} likes {food}.",
        "{who} goes for {food} on {day}.",
        "{who} is allergic to nuts.",
        "{who} is a vegetarian, except for {food}.",
    ),
    title="Where to eat near the office",
    manual=(
        "The soup place closes at two and takes no cards.",
        "Dumplings need twenty minutes on Fridays; order ahead.",
        "The canteen is free on the first day of the month.",
        "Falafel is the only one with tables for more than eight.",
        "Whoever breaks a cup brings a cup.",
        "The ramen bar has six seats and a queue; go at half past eleven.",
    ),
)
OFFICE = Part(
    key="office",
    name="Milo",
    character={
        "username": "milo",
        "system": "You keep releases on time. Say who does what until when. Never decide alone.",
        "bio": ["Runs the release calendar of Northwind Tools.", "Asks twice before anything goes to customers."],
        "topics": ["releases", "incidents", "invoices", "calendars"],
        "adjectives": ["brisk", "organised", "diplomatic"],
        "plugins": ["slack", "scheduler", "tickets"],
        "style": {"all": ["lists of at most five points"], "chat": ["names before verbs"], "post": ["no adjectives"]},
        "post_examples": ["4.2 is out. It imports twice as fast. Thanks to everybody who tested."],
        "settings": {
            "model": {"name": "large-chat", "temperature": 0.4},
            "slack": {"team": "northwind", "signing_secret": "no real secret, only something to hide"},
            "quiet_hours": {"from": "18:00", "to": "08:00"},
        },
    },
    world="Northwind Tools",
    people=(
        Person(names=("Hannah Weiss", "hannah"), role="product lead", likes="soup", zone="Europe/Berlin"),
        Person(names=("Diego Fuentes", "diego"), role="backend", likes="quiet mornings", zone="America/Mexico_City"),
        Person(names=("Sofia Marino", "sofia.m"), role="design", likes="dark mode", zone="Europe/Rome"),
        Person(names=("Kwame Mensah", "kwame"), role="operations", likes="graphs that go down", zone="Africa/Accra"),
        Person(names=("Ingrid Solberg",), role="finance", likes="round numbers", zone="Europe/Oslo"),
        Person(names=("Ravi Patel", "ravi"), role="support", likes="short tickets", zone="Asia/Kolkata"),
        Person(names=("Chloe Martin", "chloe"), role="quality", likes="accounts from 2019", zone="Europe/Paris"),
        Person(names=("Ben Carter", "benc"), role="mobile", likes="falafel", zone="America/New_York"),
        Person(names=("Yuki Sato", "yuki"), role="data", likes="ramen", zone="Asia/Tokyo"),
    ),
    places=(
        Place(
            key="release", name="release-planning", source="slack", type="GROUP", channel_id="C02RELEASE", topic=RELEASE
        ),
        Place(
            key="incidents", name="incidents", source="slack", type="GROUP", channel_id="C02INCIDENT", topic=INCIDENT
        ),
        Place(key="invoices", name="invoices", source="slack", type="GROUP", channel_id="C02INVOICE", topic=MONEY),
        Place(key="lunch", name="lunch", source="slack", type="GROUP", channel_id="C02LUNCH", topic=LUNCH),
    ),
    chores=(
        Chore(
            name="freeze-reminder",
            description="Tell owners of open tickets that the freeze begins.",
            error="SlackApiError: channel_not_found (C02OLD).",
        ),
        Chore(
            name="collect-release-notes",
            description="Gather the sentences for the release notes.",
            error="KeyError: 'milestone' in the answer of the ticket system.",
        ),
        Chore(
            name="dun-overdue-invoices",
            description="Draft friendly reminders for what is overdue.",
            error="PermissionError: the accounting system refused the key of this agent.",
        ),
    ),
    actions=("REPLY", "CREATE_TICKET", "UPDATE_CALENDAR", "POST_STATUS"),
    cached={
        "tickets:open": {"4.2.1": 3, "4.3": 27, "5.0": 61},
        "oncall:this-week": {"name": "Kwame Mensah", "until": "Monday 09:00"},
        "summary:release-planning": {"text": "4.3 freezes on Thursday; single sign-on is in, dark mode is out."},
        "rates:EUR": {"USD": 1.09, "NOK": 11.6, "INR": 90.4},
    },
)

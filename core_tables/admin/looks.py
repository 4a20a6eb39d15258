"""How secrets look: by the name that they have, or by themselves. What is in doubt counts as one."""

import re
from typing import Any

# A name with one of these in it, however it is put together: OPENAI_API_KEY, apiKey, dbPassword, PASS_1.
NAMES = re.compile(
    r"secret|token|passw|passphrase|passcode|pass[_-]?\d*$|pwd|credential|private|api[-_ ]?key|auth(?!or(?!i[sz]))|"
    r"bearer|jwt|cookie|session|dsn|signature|salt|mnemonic|seed|webhook|connection[-_ ]?string|hmac|nsec|"
    r"(^|[-_ a-z])keys?[_-]?\d*$|[-_]ur[il]s?$|(?-i:[a-z]Ur[il]s?$)|"
    r"(^|[-_ ])(pin|otp|totp|2fa|mfa|pw|psk|pk|sk|pat|sig|cvv)([-_ \d]|$)|(?-i:[a-z](Pin|Otp|Totp|Pk|Psk|Pat)$)",
    re.IGNORECASE,
)
# With one of these words a number is one of something: maxTokens, sessionTimeout.
MEASURES = {
    "max",
    "min",
    "limit",
    "limits",
    "count",
    "budget",
    "size",
    "length",
    "ttl",
    "timeout",
    "interval",
    "expiry",
    "rate",
}
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
NUMBER = re.compile(r"-?[\d.,_ ]{1,20}")
# The first group is a name: of a variable, an option, a parameter in an address, a header or a part of a DSN.
ASSIGNED = re.compile(r"(?<![\w.-])([\w.-]{1,64})[\"']?\s{0,3}=\s{0,3}[\"']?([^\s&;\"']{1,200})")
HEADER = re.compile(
    r"(?<![a-z])(passw(or)?d|pwd|passcode|(api|access|private)[-_ ]?key|secret|token|authorization)"
    r"[\"']?\s{0,3}:\s{0,3}\S",
    re.IGNORECASE,
)
# The beginnings that services give to their keys; every repetition is bounded, since a value may be long.
VALUES = re.compile(
    r"://[^\s@:]{0,200}:[^\s@]{1,300}@|://[^\s/@:]{8,300}@|-----BEGIN [A-Z ]{0,40}PRIVATE KEY|\bBearer \S|"
    r"^(?:Basic|Digest|Token|Bot) [\w+/=.:-]{8,}$|"
    r"hooks\.slack\.com/|discord(?:app)?\.com/api/webhooks|/webhooks?/|webhook\.office|api\.telegram\.org/bot|"
    r"\b(?:sk|pk|rk)[-_]\w{2,}|\b(?:gh[opsur]|github_pat|glpat|xox[abeprs]|xapp|hf|npm|gsk|whsec|shpat|dop_v1|figd)[-_]\w{8,}|"
    r"\b(?:xai|nvapi|pplx|tvly|pypi|dckr_pat|lin_api|ntn|pcsk|sbp|r8|sess|key|fw)[-_](?=\w{0,40}\d)\w{16,}|"
    r"\b(?:AKIA|ASIA|AIza|eyJ|ATATT)[\w-]{12,}|\bya29\.\w|\bSG\.[\w-]{10,}|\bnsec1\w|"
    r"\b\d{6,12}:A[\w-]{3,}|\b\d{8,12}:[\w-]{20,}|\b[\w-]{18,40}\.[\w-]{5,8}\.[\w-]{16,}|^[0-9a-f]{32,128}$"
)
# Letters of both cases and digits, as no word and no name of a model has them.
RANDOM = re.compile(r"(?=.{0,200}\d)(?=.{0,200}[A-Z])(?=.{0,200}[a-z])(?:[A-Za-z0-9+/_=]{40,200}|[A-Za-z0-9]{24,200})")
OPTION = re.compile(r"--?([\w.-]{1,64})")


def named(name: Any, value: Any = "") -> bool:
    """Tell whether a name says that the value is secret."""
    if not NAMES.search(str(name)):
        return False
    number = isinstance(value, int | float) or (isinstance(value, str) and NUMBER.fullmatch(value))
    return not (number and MEASURES & {word.lower() for word in WORD.findall(str(name))})


def looks(value: Any) -> bool:
    """Tell whether a value is a text that looks secret, or has something in it that does."""
    return isinstance(value, str) and bool(
        VALUES.search(value)
        or HEADER.search(value)
        or RANDOM.fullmatch(value)
        or any(named(name, given) for name, given in ASSIGNED.findall(value))
    )


def announces(item: Any) -> bool:
    """Tell whether an argument of a command says that the next one is secret: `--token`."""
    option = OPTION.fullmatch(item) if isinstance(item, str) else None
    return bool(option and named(option[1]))

"""The rules by which secrets are known: by their shape, or by what they are called.

Every pattern takes time in proportion to the text, however hostile it is: what repeats is bounded or never given back.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

# What a value looks like --------------------------------------------------------------------


SHORTEST = 6
"""Letters of a password, and of a secret that is looked for in the other parts of its message as well."""
PLACEHOLDER = re.compile(
    r"""[\[<{(]|&lt;|\$[{(]|\$\w+\Z|%\(|%\w*%?\Z|\.\.\.|…|/[a-z]|!(?:vault|secret|ref|sub|env)\b|(.)\1{2,}\Z
    |(?:redacted|filtered|masked|hidden|removed|null|none|nil|true|false|undefined|empty|unset|required|optional|string
    |todo|tbd|example|changeme|(?:your|my|the)?[_-]?(?:password|passwd|passwort|pass|pwd|secret|token|key|value))\W*\Z""",
    re.IGNORECASE | re.VERBOSE,
)
NAME = re.compile(
    r"""[a-z0-9]+(?:[-_.:/][a-z0-9]*)+\Z|[A-Z]+-[0-9]+\Z|[A-Z0-9_]+\Z|[./~]|[a-z0-9+]+://|arn:
    |[0-9]{4}-[0-9]{2}-[0-9]{2}T|(?:process|os|env|config|settings|self|this|req|request|var|local|data|module|secrets|args|opts|params)\.
    |[A-Za-z_][\w.]*[\[({]""",
    re.VERBOSE,
)
"""A name of something: `checkout-db-x7k2p`, `OPS-1234`, `DB_PASSWORD`, `/run/secrets/db`, an address, or code."""


def _is_placeholder(value: str) -> bool:
    return PLACEHOLDER.match(value) is not None


def is_mixed(value: str) -> bool:
    """Not a word: it has a digit, a sign or letters of both sizes."""
    return not value.isalpha() or not (value.islower() or value.isupper() or value.istitle())


def _is_password(value: str) -> bool:
    """Letters with a digit or a sign among them."""
    is_word = value.isalpha() or not any(map(str.isalpha, value))
    return len(value) >= SHORTEST and not is_word and not _is_placeholder(value) and not NAME.match(value)


def _is_phrase(value: str) -> bool:
    """Words written as one."""
    return len(value) >= 20 and value.isascii() and value.isalpha() and value.islower()


def _is_random(value: str) -> bool:
    """As a program makes them: long, of letters and digits, and no name."""
    has_both = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return len(value) >= 12 and has_both and not _is_placeholder(value) and not NAME.match(value)


def _is_not_made_up(value: str) -> bool:
    """Examples repeat a letter, or spell out what belongs there."""
    tail = value[-16:]
    return len(set(tail)) > 5 and (any(map(str.isdigit, value)) or tail.lower() != tail != tail.upper())


def _is_key_id(value: str) -> bool:
    return not value.endswith("EXAMPLE")


def _is_login(value: str) -> bool:
    """Base64 of `user:password`."""
    try:
        words = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return ":" in words and words.isprintable()


def _is_secret_key(value: str) -> bool:
    return all(any(map(has, value)) for has in (str.isdigit, str.islower, str.isupper))


# The rules ------------------------------------------------------------------------------------


Spans = Iterator[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of secret: the words without which there is none (in small letters), and where it stands in a text."""

    kind: str
    words: tuple[str, ...]
    spans: Callable[[str, str], Spans]
    """Is given the text, and the same in small letters."""


def shaped(pattern: str, counts: Callable[[str], bool] = lambda _: True) -> Callable[[str, str], Spans]:
    """Each group of a pattern is a secret, where its value counts as one."""
    compiled = re.compile(pattern)

    def spans(text: str, _: str) -> Spans:
        for match in compiled.finditer(text):
            for group in range(1, compiled.groups + 1):
                if match[group] and counts(match[group]):
                    yield match.span(group)

    return spans


VALUE = r"((?:[^\s\"'`<>,;&|]|&amp;(?!\w+=))++)"
"""Up to a space, a quote, a comma, or the next part of an address; `&amp;` is how Slack writes an ampersand."""
TAIL = ".,:)]}*_~!?…"


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the punctuation of the sentence and the stars of bold; one mark may be the password's own."""
    kept = len(text[start:end].rstrip(TAIL.replace("!", "").replace("?", "")))
    return start, start + (kept or end - start)


# Private keys

BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
BODY = re.compile(
    r"(?:(?:\\+[rnt]|&gt;|[\s\"'+,|\\>`])*+[A-Za-z0-9+/=]{20,}+)*+(?:(?:\\+[rn]|\s)*+[A-Za-z0-9+/]{4,19}={1,2})?"
)


def _private_keys(text: str, _: str) -> Spans:
    """To its end; where that was cut off, as far as it looks like one."""
    ends = [match.end() for match in END.finditer(text)]
    for begin in BEGIN.finditer(text):
        following = bisect_left(ends, begin.end())
        if following < len(ends):
            yield begin.start(), ends[following]
        else:
            body = BODY.match(text, begin.end())
            yield begin.start(), body.end() if body else begin.end()


# Cloud keys that come in pairs

KEY_ID = re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])")
SECRET_KEY = re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
BESIDE = 200


def _aws_keys(text: str, _: str) -> Spans:
    """The id, and what looks like a secret key close to it."""
    for key in KEY_ID.finditer(text):
        if _is_key_id(key[0]):
            yield key.span()
            for match in SECRET_KEY.finditer(text, max(key.start() - BESIDE, 0), key.end() + BESIDE):
                if _is_secret_key(match[0]):
                    yield match.span()


# Passwords and keys that are called so

NAMES = r"""(?:(passw(?:or[dt]|d)|passphrase
    |kennwort|mot\sde\spasse|contrase[ñn]a|senha|wachtwoord|hasło|пароль|pwd|pass|pw)
    |(secret|token
    |(?:api|access|account|secret|private|auth|master|signing|encryption|service|app|application)[\ _-]?key))"""
CALLED = re.compile(
    NAMES + r"""[\"'`\\*]{0,3}\s{0,3}(:=|==?|:|=&gt;|=>)(?:[*_]{1,2}(?=\s))?\s{0,3}[\"'`\\]{0,3}""" + VALUE,
    re.VERBOSE,
)
TOLD = re.compile(
    NAMES
    + r"""(?:\s(?:for|of|on|to|für|von)\s[\w.-]{1,40})?
    \s{1,3}(?:is|was|ist|war|lautet|est|es|é|è)(?:\s(?:now|still|jetzt))?:?\s{1,3}[\"'`*]{0,3}"""
    + VALUE,
    re.VERBOSE,
)
PROSE = re.compile(r"[a-z]+[0-9]*(?:[-/][a-z]+)+\Z|[0-9]+[-+][a-z]+\Z", re.IGNORECASE)
"""`Base64-encoded`, `16-character`: what a sentence says about a password."""
ELSEWHERE = ("kennwort", "contrase", "senha", "wachtwoord", "hasło", "пароль")
SHORT = ("pass", "pw")
"""Part of many other words."""
NO_KEYS = re.compile(
    r"(?i)(?:next|page|prev|previous|cursor|continuation|continue|csrf|xsrf|sync|idempotency|public)[_.-]?\Z"
)
NAME_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"


def _called(text: str, small: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """What follows `DB_PASSWORD=` or `"clientSecret": `, with the kind its name says."""
    for match in CALLED.finditer(small):
        before = text[max(match.start() - 40, 0) : match.start()]
        name = before[len(before.rstrip(NAME_CHARS)) :]
        start, end = _trimmed(text, *match.span(4))
        if match[1] and _is_name(name, match[1], before):
            whole = name + text[slice(*match.span(1))]
            if _is_set(whole, match[3], text[start:end]):
                yield "password", (start, end)
        if match[2] and _is_random(text[start:end]) and not NO_KEYS.search(name):
            yield "key", (start, end)


def _told(text: str, small: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """What follows `the api key for checkout is`."""
    for match in TOLD.finditer(small):
        start, end = _trimmed(text, *match.span(3))
        value = text[start:end]
        if match[1] and _stands_alone(small, match.start(), match[1]) and _looks_chosen(value):
            yield "password", (start, end)
        if match[2] and _is_random(value):
            yield "key", (start, end)


def _stands_alone(small: str, start: int, word: str) -> bool:
    return word not in SHORT or not small[max(start - 1, 0) : start].isalnum()


def _looks_chosen(value: str) -> bool:
    return (_is_password(value) and not PROSE.match(value)) or _is_phrase(value)


def _is_set(name: str, sign: str, value: str) -> bool:
    """In an environment any word may be the password; elsewhere it must look like one."""
    if name.isupper() and sign == "=":
        return len(value) >= 4 and not _is_placeholder(value)
    if name == "PASS" and sign == ":":
        return False  # What a test says that passed.
    return _is_password(value) or _is_phrase(value)


def _is_name(name: str, word: str, before: str) -> bool:
    """Not `bypass=`; nor `https://…?pwd=…`, which lets people into a call and is meant to be shared."""
    if word in SHORT and name and not name.lower().endswith(("_", "-", ".", "pg", "my", "db")):
        return False
    return word not in {"pwd", "pw"} or not before.endswith(("?", "&amp;", "&"))


def _passwords(text: str, small: str) -> Spans:
    return (span for kind, span in chain(_called(text, small), _told(text, small)) if kind == "password")


def _keys(text: str, small: str) -> Spans:
    return (span for kind, span in chain(_called(text, small), _told(text, small)) if kind == "key")


FLAG = re.compile(r"--[a-z-]{0,30}(?:password|passwd|token|secret|api-key)[ =]{1,3}[\"'`]?(?!-)" + VALUE)
LISTED = re.compile(
    r"""name:\s{0,3}[\"']?[a-z0-9_]{0,60}(?:password|passwd|pwd|secret|token|key)[\"']?\s{0,3}
    \n\s{0,30}value:\s{0,3}[\"']?"""
    + VALUE,
    re.VERBOSE,
)
TYPED = re.compile(
    r"""(?:sshpass\s{1,3}-p\s?|redis-cli\s[^\n]{0,80}?-a\s{1,3}|mysql\w{0,10}\s[^\n]{0,120}?\s-p)[\"']?""" + VALUE,
    re.VERBOSE,
)


def _said(text: str, small: str) -> Spans:
    """After an option, or in a list of variables."""
    for pattern in (FLAG, LISTED, TYPED):
        for match in pattern.finditer(small):
            start, end = _trimmed(text, *match.span(1))
            if _is_password(text[start:end]):
                yield start, end


# Passwords in addresses

IN_ADDRESS = re.compile(
    r"""://[^\s:/?\#@<>\"'`|]{0,200}:
    (?:<mailto:([^\s@<>|]{1,200})@[^\s<>|]{1,200}\|([^\s@<>|]{1,200})@   # Slack takes password@host for mail.
    |([^\s<>\"'`|]{1,300})@(?=[\w\[.-]))""",
    re.VERBOSE,
)
WITH_PATHS = ("http", "https", "ftp", "oci", "docker")
PORT = re.compile(r"[0-9]{1,5}[/?\#]")


def _in_addresses(text: str, small: str) -> Spans:
    for match in IN_ADDRESS.finditer(text):
        if match[1]:
            yield match.span(1)
            yield match.span(2)
            continue
        start, value = match.start(3), match[3]
        if small.endswith(WITH_PATHS, 0, match.start()) or PORT.match(value):
            value = value[: _until_path(value)].rpartition("@")[0] if _has_path(value) else value
        if value and not _is_placeholder(value):
            yield start, start + len(value)


def _has_path(value: str) -> bool:
    """The last @ may be one of the path; before it, a password has none of these signs."""
    return _until_path(value) < len(value)


def _until_path(value: str) -> int:
    return min((at for at in map(value.find, "/?#") if at >= 0), default=len(value))


# On the command line of curl

LOGIN = re.compile(r"(?:\s-[a-zA-Z]{0,5}u\s?|\s--(?:proxy-)?user[ =])[\"'`]?[^\s:\"'`]{0,60}:" + VALUE)


def _for_curl(text: str, _: str) -> Spans:
    for match in LOGIN.finditer(text):
        if "curl" in text[max(match.start() - 300, 0) : match.start()] and not _is_placeholder(match[1]):
            yield match.span(1)


# A whole login in a header

HEADER = re.compile(
    r"""(?:authorization[\"'`]{0,2}\\?\s{0,3}[:=][\"'`\\\s]{0,4}(?:(?:bearer|token|apikey|key|digest)[\s\\]{1,4})?
    |bearer[\s\\]{1,4})[\"'`]?([a-z0-9._~+/=-]{16,}+)""",
    re.VERBOSE,
)
BASIC = re.compile(r"(?:basic[\s\\]{1,4}|_?auth[\"'\\]{0,3}\s{0,3}[:=]\s{0,3}[\"'\\]{0,3})([a-z0-9+/]{8,}+={0,2})")


def _headers(text: str, small: str) -> Spans:
    for pattern, counts in ((HEADER, _is_random), (BASIC, _is_login)):
        for match in pattern.finditer(small):
            if counts(text[slice(*match.span(1))]):
                yield match.span(1)


_B = r"(?<![A-Za-z0-9])"
RULES: Sequence[Rule] = (
    Rule("private key", ("private key",), _private_keys),
    Rule("Slack token", ("xox",), shaped(_B + r"(xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9%/+=-]{10,}+)", _is_not_made_up)),
    Rule("Slack token", ("xapp-",), shaped(_B + r"(xapp-[A-Za-z0-9-]{20,}+)", _is_not_made_up)),
    Rule(
        "Slack webhook",
        ("hooks.slack",),
        shaped(r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([A-Za-z0-9/]{20,}+)", _is_not_made_up),
    ),
    Rule("AWS key", ("akia", "asia"), _aws_keys),
    Rule(
        "AWS key",
        ("access_key", "accesskey", "access key"),
        shaped(
            r"(?i:secret[_ ]?access[_ ]?key\W{1,12}(?:value\W{1,6})?)([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
            _is_secret_key,
        ),
    ),
    Rule(
        "AWS key",
        ("session_token", "sessiontoken", "security_token"),
        shaped(r"(?i:(?:session|security)_?token\W{1,12}(?:value\W{1,6})?)([A-Za-z0-9/+]{60,}+={0,2})"),
    ),
    Rule("Google key", ("aiza",), shaped(r"(AIza[A-Za-z0-9_-]{35})")),
    Rule("Google key", ("ya29.", "gocspx-"), shaped(_B + r"(ya29\.[\w.-]{20,}+|GOCSPX-[\w-]{20,}+)")),
    Rule(
        "Azure key",
        ("accountkey=", "accesskey="),
        shaped(r"(?i:(?:account|sharedaccess)key=)([A-Za-z0-9+/%]{30,}+={0,2})"),
    ),
    Rule(
        "signed link",
        ("sig=", "-signature=", "-token="),
        shaped(r"(?:[?&;]sig=|(?i:x-(?:amz|goog)-(?:signature|security-token)=))([A-Za-z0-9%+/_-]{20,}+={0,2})"),
    ),
    Rule(
        "GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), shaped(_B + r"(gh[pousr]_\w{30,}+)", _is_not_made_up)
    ),
    Rule("GitHub token", ("github_pat_",), shaped(r"(github_pat_\w{30,}+)", _is_not_made_up)),
    Rule(
        "GitLab token",
        ("glpat-", "glptt-", "glrt-", "gldt-", "glcbt-", "glsoat-", "glft-", "glagent-", "gloas-", "glimt-"),
        shaped(_B + r"(gl[a-z]{2,5}-[\w-]{20,}+(?:\.[\w-]+){0,3})", _is_not_made_up),
    ),
    Rule(
        "payment key", ("k_live_", "k_test_"), shaped(_B + r"([srp]k_(?:live|test)_[A-Za-z0-9]{16,}+)", _is_not_made_up)
    ),
    Rule("payment key", ("whsec_",), shaped(_B + r"(whsec_[A-Za-z0-9+/=]{20,}+)", _is_not_made_up)),
    Rule("package token", ("npm_",), shaped(_B + r"(npm_[A-Za-z0-9]{36,}+)", _is_not_made_up)),
    Rule("package token", ("pypi-",), shaped(_B + r"(pypi-[\w-]{50,}+)", _is_not_made_up)),
    Rule("Vault token", ("hvs.", "hvb."), shaped(_B + r"(hv[sb]\.[\w-]{24,}+)", _is_not_made_up)),
    Rule("Grafana token", ("glsa_", "glc_"), shaped(_B + r"(gl(?:sa|c)_[\w+/=]{30,}+)", _is_not_made_up)),
    Rule("cloud key", ("dop_v1_", "dapi"), shaped(_B + r"(dop_v1_[a-f0-9]{40,}+|dapi[a-f0-9]{32})", _is_not_made_up)),
    Rule("mail key", ("sg.",), shaped(_B + r"(SG\.[\w-]{16,}+\.[\w-]{16,}+)", _is_not_made_up)),
    Rule("model key", ("sk-",), shaped(_B + r"(sk-[A-Za-z0-9_-]{32,}+)", _is_not_made_up)),
    Rule(
        "access token", ("eyj",), shaped(r"(?<![\w-])_?(eyJ[\w-]{8,}+\.eyJ[\w-]{8,}+\.[\w-]{10,}+(?:\.[\w-]*+){0,2})")
    ),
    Rule("access token", ("bearer", "basic", "auth"), _headers),
    Rule("password", ("://",), _in_addresses),
    Rule("password", ("curl",), _for_curl),
    Rule("password", ("pass", "pwd", "pw", *ELSEWHERE), _passwords),
    Rule("password", ("--", "value:", "sshpass", "redis-cli", "mysql"), _said),
    Rule("key or token", ("secret", "token", "key"), _keys),
)

"""1,000 direct messages of which Slack refuses a fifth with 429, and backlogs of one channel and of many: how long they
take beside what the allowed pace gives, by Slack's clock. Slack's own rate limits are on.
"""

import asyncio
import tempfile
from math import comb

from bot.calling import JITTER
from bot.pacing import WRITES_A_SECOND
from storage.session import upgrade
from tests.reliability.pace import POST, PostOffice, a_post_office, closest, early, moments, most_in_a_second

MESSAGES, REFUSED, RETRY_AFTER_S = 1_000, 0.2, 1
ONE_CHANNEL, CHANNELS = 120, 50


def modelled_s(messages: int, refused: float, retry_after_s: float) -> float:
    """How long it takes at the pace that is allowed, in the mean.

    1. So many calls begin together as a second allows, of which each is refused with the same chance.
    2. Where none is, the next begin a second later. Where any is, the method rests for what Slack says and at most a
       tenth more, of the longest of as many even chances as there were refusals: k / (k + 1) of the tenth, in the mean.
    3. What is refused is called once more, so there are 1 / (1 - refused) calls to a message.
    """
    calls, at_once = messages / (1 - refused), WRITES_A_SECOND
    refusals = range(at_once + 1)
    chances = [comb(at_once, k) * refused**k * (1 - refused) ** (at_once - k) for k in refusals]
    rests = [max(1.0, retry_after_s * (1 + JITTER * k / (k + 1))) if k else 1.0 for k in refusals]
    return calls / at_once * sum(chance * rest for chance, rest in zip(chances, rests, strict=True))


def measure() -> None:
    asyncio.run(_measure())


async def _measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number, figure in enumerate((_refused, _one_channel, _many_channels)):
            url = f"sqlite:///{folder}/{number}.db"
            await asyncio.to_thread(upgrade, url)
            async with a_post_office(url) as office:
                office.hire()
                await figure(office)


async def _refused(office: PostOffice) -> None:
    took, refused = await refused_by_fifths(office, MESSAGES), len(moments(office.slack, POST, "429"))
    model = modelled_s(MESSAGES, refused / (MESSAGES + refused), RETRY_AFTER_S)
    print(
        f"{MESSAGES:,} direct messages, {refused} times 429: {took:.0f} s, modelled {model:.0f} s "
        f"({took / model:.3f}); "
        f"{early(office.slack, POST, RETRY_AFTER_S)} calls before their time; at least {closest(office.slack):.2f} s "
        f"between two in a channel, at most {most_in_a_second(office.slack)} in a second"
    )


async def refused_by_fifths(office: PostOffice, messages: int) -> float:
    """Seconds by Slack's clock."""
    office.slack.sandbox.faults.set({"method": POST, "kind": "429", "rate": REFUSED, "retry_after": RETRY_AFTER_S})
    office.write({person: [f"hello {person}"] for person in office.people(messages)})
    return await office.deliver()


async def _one_channel(office: PostOffice) -> None:
    (channel,) = office.channels(1)
    office.write({channel: [f"number {n}" for n in range(ONE_CHANNEL)]})
    _tell("one channel", await office.deliver(), (ONE_CHANNEL - 1) * 1.0, office)


async def _many_channels(office: PostOffice) -> None:
    each = MESSAGES // CHANNELS
    office.write({channel: [f"{channel} {n}" for n in range(each)] for channel in office.channels(CHANNELS)})
    _tell(f"{CHANNELS} channels", await office.deliver(), MESSAGES / WRITES_A_SECOND - 1, office)


def _tell(what: str, took: float, allowed: float, office: PostOffice) -> None:
    refused = len(moments(office.slack, POST, "ratelimited"))
    print(
        f"{what}: {took:.1f} s, allowed {allowed:.1f} s: {allowed / took:.3f} of the pace; refused by Slack: {refused}"
    )


if __name__ == "__main__":
    measure()

"""Three incidents marked by hand before the rules were written: how many of the marks the offered messages hold."""

from tests.review.marked_incidents import NAMES, Held, read
from tests.review.marked_incidents import measure as hold


def measure() -> None:
    for name in NAMES:
        marked = read(name)
        held = hold(marked, marked.offered())
        print(f"{held.name}: {held.held} of {held.marks} marks ({held.share:.0%}) in {_offer(held)}")
        for why, count in held.reasons.most_common():
            print(f"    {why}: {count} offered, {held.right[why]} with a mark")


def _offer(held: Held) -> str:
    return f"{held.offered} candidates of {held.messages} messages, {held.suggested} suggested"


if __name__ == "__main__":
    measure()

"""The cues of wordings that sound like a verdict, and what excuses each: a fact, a requirement, an open question.

The classes come from the literature on blame: Dekker's counterfactuals, Allspaw's traps, Google's animated language.
Precision comes first: a false nudge costs trust. Every repetition is bounded: a text takes as long as it is long.
"""

from collections.abc import Sequence

from bot.review.blame.asking import WHY_WHO
from bot.review.blame.cause import SINGLE_CAUSE
from bot.review.blame.counterfactual import COUNTERFACTUAL
from bot.review.blame.error import HUMAN_ERROR
from bot.review.blame.fault import PERSON
from bot.review.blame.judging import JUDGING
from bot.review.blame.reading import PERSON_MARK, Rule, Sentence, Wording

__all__ = ["PERSON_MARK", "RULES", "Sentence", "Wording"]

RULES: Sequence[Rule] = (*WHY_WHO, *COUNTERFACTUAL, *PERSON, *SINGLE_CAUSE, *HUMAN_ERROR, *JUDGING)
"""The first that finds something is the one that is spoken of."""

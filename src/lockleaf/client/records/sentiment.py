"""How the words of an English text lean, from -1 to 1, for the metric ``sentiment``: by a small lexicon, on the device.

The score is (liked - disliked) / (liked + disliked) over the words that the lexicon knows, each weighing 1 or 2; a
negation among the three words before turns a word round. Nothing is understood: irony, quotations, words of trade
("a bad debt"), spellings of other centuries and every other language are beyond it. A text with none of the words has
no score, rather than one of 0. It says something about a month, and little about a day.

The list is our own.
"""

from __future__ import annotations

import re

__all__ = ["LEXICON", "sentiment"]

_LIKED = """
    able accomplished accepted achieved admire adored affection agreeable amazed amused appreciate balanced beautiful
    beloved benefit better blessed bold brave bright calm caring celebrate charming cheer clean clever comfort
    comfortable confident content cosy courage creative cute dear delicious eager ease easy encouraged energetic enjoy
    enjoyed enjoyable fair favourite fine fit free freedom fresh friend friends friendly fun funny generous gentle gift
    glad good grace graceful gratitude grateful happily harmony healed healthy help helped helpful hope hoped hopeful
    hug improve improved inspired interesting joke kind kindly kindness laugh laughed laughing laughter lively lucky
    luck merry motivated neat nice peace peaceful pleasant pleased pleasure polite positive praise pretty progress
    promising proud recovered refreshed relaxed relief relieved rest rested safe satisfied save smile smiled smiling
    smooth strong succeed succeeded success support supported sunny sweet tender thank thankful thanks tidy trust useful
    warm warmth welcome well win wise won worthy
"""
_LOVED = """
    adore amazing awesome best blissful brilliant delight delighted delightful ecstatic excellent excited exciting
    fantastic glorious great happiness happy incredible joy joyful love loved lovely loving magnificent marvellous
    marvelous overjoyed perfect perfectly splendid superb terrific thrilled treasure triumph wonderful
"""
_DISLIKED = """
    ache aching afraid alone angry annoyed annoying anxious argue argued argument ashamed avoid bad bitter blame boring
    bored broken burden busy cold complain complained conflict confused cough cried crowded cruel cry crying damage
    damaged danger dangerous dark debt defeat delayed difficult dirty disappointed disappointing disappointment dislike
    doubt drained dreary dull embarrassed empty exhausted exhausting fail failed failing fault fear feared fever fight
    forgot fought frustrated frustrating gloomy grumpy guilt guilty hard harsh headache heavy hurt hurts ill impossible
    insulted irritated jealous lazy lie lied lonely lose loss lost mad mess mistake moody nasty nervous noisy nuisance
    pain painful poor problem problems quarrel regret rejected restless rude sad sadly scared shame shy sick sleepless
    slow sore sorry stress stressed stressful struggle struggled stuck stupid tense tired tiring trouble troubled ugly
    uncomfortable uneasy unfair unhappy unkind upset useless weak worried worries worry worse wrong
"""
_HATED = """
    abandoned agony anguish awful betrayed catastrophe dead death depressed depressing desperate despair devastated died
    disaster disgusting dreadful dying furious grief hate hated heartbroken hell hopeless horrible horrid killed
    miserable misery murder nightmare panic suffer suffered suffering terrible terrified terror tragedy torment worst
"""

LEXICON: dict[str, int] = {
    word: weight
    for weight, words in ((1, _LIKED), (2, _LOVED), (-1, _DISLIKED), (-2, _HATED))
    for word in words.split()
}
"""Each word with its weight."""

_NEGATIONS = frozenset(
    ["not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without", "hardly", "cannot"]
)
_REACH = 3
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?")


def sentiment(text: str) -> float | None:
    """Return how the words of ``text`` lean, from -1 to 1; None where the lexicon knows none of them."""
    liked = disliked = 0
    turned = 0  # words for which a negation still holds
    for word in _WORD.findall(text.casefold()):
        weight = LEXICON.get(word, 0)
        if turned:
            weight, turned = -weight, turned - 1
        if word in _NEGATIONS or word.endswith(("n't", "n’t")):
            turned = _REACH
        if weight > 0:
            liked += weight
        else:
            disliked -= weight
    known = liked + disliked
    return (liked - disliked) / known if known else None

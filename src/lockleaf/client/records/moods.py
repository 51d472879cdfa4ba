"""Mood words and signs as numbers from -10 (as bad as can be) to 10, for the metric ``mood``.

A table of our own, and short: a mood that it does not know has no number, and is left out of sums and counts alike. It
is a convention, no measurement: whoever wants another scale writes a metric of their own.
"""

from __future__ import annotations

from lockleaf.wire.names import known_as

__all__ = ["MOODS", "mood_score"]

_TABLE: dict[int, str] = {
    10: "ecstatic euphoric overjoyed 🤩",
    9: "thrilled elated blissful 🥳",
    8: "delighted joyful excited loved 😍 🥰 😁",
    7: "happy great wonderful cheerful grateful proud 😀 😃 😄 😊",
    6: "glad inspired energetic optimistic hopeful playful 😆 😎",
    5: "good relaxed confident amused 🙂 😌 👍",
    4: "content peaceful satisfied motivated relieved ☺️",
    3: "calm fine comfortable curious interested serene",
    2: "okay ok alright rested focused",
    1: "quiet thoughtful nostalgic",
    0: "neutral mixed meh so-so indifferent 😐 😶 🤷",
    -1: "distracted restless unsure 🤔",
    -2: "bored tired sleepy uncertain 😴 🥱",
    -3: "uneasy confused disappointed drained lazy 😕 🙁",
    -4: "annoyed worried nervous stressed impatient 😟 😬",
    -5: "bad sad lonely frustrated irritated jealous embarrassed exhausted 😔 😢 👎",
    -6: "anxious upset hurt ashamed guilty overwhelmed afraid 😞 😣 😰",
    -7: "angry unhappy scared ill sick gloomy 😠 😡 🤒",
    -8: "awful miserable hopeless furious grieving heartbroken 😭 💔",
    -9: "terrible horrible depressed desperate",
    -10: "devastated despairing",
}

MOODS: dict[str, int] = {word: score for score, words in _TABLE.items() for word in words.split()}
"""Every mood that has a number."""

_KNOWN = {known_as(word): score for word, score in MOODS.items()}


def mood_score(mood: str) -> int | None:
    """Return the number of a mood, None for one that the table does not know; its spelling does not matter."""
    return _KNOWN.get(known_as(mood))

"""6. A kiosk: a small agent on this machine answers what is typed, and shows how it feels about it.

    python samples/06_kiosk.py AVATAR.glb

No network and no language model: a table of rules, so that the sample is the bridge and not the chatbot. Whoever types while
it speaks interrupts it. Tested by tests/integration/test_live_samples.py.
"""

import asyncio
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from avatar3d.live.client import Bridge, connect
from avatar3d.live.process import bridge_process


@dataclass(frozen=True)
class Answer:
    """What the agent says, and how it looks."""

    text: str
    emotion: str = "neutral"
    intensity: float = 0.6
    gesture: str | None = None


RULES = (
    (r"\b(hello|hi|good (morning|day|evening))\b", Answer("Hello, and welcome. How can I help you?", "joy", 0.6, "nod")),
    (r"\b(thank|great|lovely)", Answer("My pleasure. It was nice to talk to you.", "joy", 0.8, "nod")),
    (r"\b(lost|missed|late|broken)\b", Answer("Oh, I am sorry to hear that. Let us see what we can do.", "sadness", 0.6, "tilt")),
    (r"\b(stupid|idiot|hate)\b", Answer("I would rather we stayed friendly.", "neutral", 0.5, "shake")),
    (r"\b(wow|really|won)\b", Answer("I did not expect that!", "surprise", 0.7, "brows")),
    (r"\b(bye|goodbye)\b", Answer("Goodbye. Come again soon!", "joy", 0.6, "nod")),
)  # fmt: skip


def answer(question: str) -> Answer:
    """By the first rule that fits."""
    if re.search(r"\btime\b", question, re.IGNORECASE):
        return Answer(f"It is {datetime.now():%H:%M}.")
    for pattern, said in RULES:
        if re.search(pattern, question, re.IGNORECASE):
            return said
    return Answer("I am only a small sample, and do not know that.", "neutral", 0.5, "tilt")


async def serve(bridge: Bridge, question: str) -> Answer:
    """Stop what is being said, feel first, then speak."""
    said = answer(question)
    feeling = {"emotion": said.emotion, "intensity": said.intensity, "interrupt": True}
    await bridge.control(**feeling, **({"gesture": said.gesture} if said.gesture else {}))
    await bridge.say(said.text)
    return said


async def until_silent(bridge: Bridge) -> None:
    """Until a second after the last word: nobody is cut off in the middle of goodbye."""
    events, last = bridge.messages(), ""
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(1.0 if last == "speech_ended" else 30.0):
                last = (await anext(events)).get("name", last)


async def main(avatar: str) -> None:
    async with bridge_process(avatar) as process, connect(*process, frames=False) as bridge:
        print(f"Open {process.page}\nAsk something (Ctrl-D ends):", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            said = await serve(bridge, line)
            print(f"[{said.emotion}] {said.text}", flush=True)
            if re.search(r"\b(good)?bye", line, re.IGNORECASE):
                await until_silent(bridge)
                break


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

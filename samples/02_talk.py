"""2. An avatar says a sentence: a recorded one, and one that is only written.

    python samples/02_talk.py AVATAR.glb SOUND FOLDER      (a text needs the extra `espeak`)

Tested by tests/integration/test_samples.py.
"""

import sys
from pathlib import Path

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.speaking import SpeakParams, VoiceParams, perform, speak_sound, speak_text
from avatar3d.speech.as_spoken import mouth_as_spoken
from avatar3d.speech.performance.controls import Controls
from avatar3d.speech.voices.tts import load_voice


def main(avatar: Path, sound: Path, folder: Path) -> None:
    # A sound of any language: FOLDER/recorded.glb carries the animation "talk", recorded.csv the curves, 60 a second.
    params = SpeakParams(formats=("glb", "csv"), avatar=avatar, controls=Controls(emotion="joy", intensity=0.6))
    spoke = speak_sound(sound, folder, "recorded", params, progress=print)
    print(f"{spoke.duration_s:.1f} s of speech: {', '.join(path.name for path in spoke.files)}")
    for warning in spoke.warnings:
        print(f"warning: {warning}")

    # A text, with espeak-ng's voice: its phones are exact, no network is asked. Also writes FOLDER/written.wav.
    written = speak_text("Buon giorno a tutti.", folder, "written", params, VoiceParams(language="it"), progress=print)
    print(f"{written.duration_s:.1f} s of text: {', '.join(path.name for path in written.files)}")

    # Frame by frame while the voice still speaks, for an engine of your own.
    voice = load_voice("espeak").speak("My mama made a pie.", language="en")
    frames = list(perform(mouth_as_spoken(voice, rate_hz=params.rate_hz), params))
    widest = max(frames, key=lambda frame: frame.weights[ARKIT_INDEX["jawOpen"]])
    print(f"{len(frames)} frames; the mouth is widest at {widest.time_s:.2f} s")


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))

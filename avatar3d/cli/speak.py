"""avatar3d speak: sound, text or the video of a face in; an animated avatar, a film, or curves for an engine out."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, printable, speaking
from avatar3d.core.errors import Avatar3dError, UsageError


@click.command()
@click.argument("sounds", metavar="AUDIO...|FOLDER", nargs=-1, type=click.Path(path_type=Path))
@click.option("--text", help="Instead of a sound: what to say, with espeak-ng's voice (extra 'espeak').")
@click.option("--video", type=click.Path(path_type=Path, dir_okay=False),
              help="Instead of a sound: a video of one face, which the avatar then follows (extra 'video').")  # fmt: skip
@click.option("--avatar", type=click.Path(path_type=Path, dir_okay=False), help="A GLB of ours; glb and mp4 need it.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Writes DIR/STEM.*.")
@click.option("--format", "formats", multiple=True, type=click.Choice(["glb", "mp4", "csv", "livelink-csv", "npz"]),
              help="What to write; may be given several times. With an avatar glb, else csv.")  # fmt: skip
@click.option(
    "--emotion", default="neutral", show_default=True, help="neutral, joy, sadness ... or auto: by the voice."
)
@click.option("--intensity", type=float, default=1.0, show_default=True, help="0 to 1, of the emotion.")
@click.option("--gaze", type=(float, float, float), help="Direction to look at: left, up, ahead. Else at the listener.")
@click.option("--head-motion", type=float, default=1.0, show_default=True, help="0 (none) to 2.")
@click.option("--style", default="natural", show_default=True, help="natural, calm, lively, newsreader or shy.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of blinks, glances, idle motion.")
@click.option(
    "--rate", "rate_hz", type=click.FloatRange(1, 240), default=60.0, show_default=True, help="Frames a second."
)
@click.option(
    "--size", "film_px", type=click.IntRange(64, 2048), default=512, show_default=True, help="Of an mp4, pixels."
)
@click.option("--marks", type=click.Path(path_type=Path, dir_okay=False),
              help="What the sound says and when: TextGrid, Rhubarb, Azure visemes, ElevenLabs characters.")  # fmt: skip
@click.option("--channel", type=click.IntRange(0), help="One channel of the sound instead of the mix of all.")
@click.option("--strict", is_flag=True, help="Refuse sounds that break off.")
@click.option("--language", default="en", show_default=True, help="Of the text, such as en, de, pt-br.")
@click.option("--voice", "voice_name", default="", help="Of the text: one of the engine's names.")
@speaking
def speak(
    voice: Voice,
    sounds: tuple[Path, ...],
    text: str | None,
    video: Path | None,
    out: Path,
    formats: tuple[str, ...],
    emotion: str,
    intensity: float,
    gaze: tuple[float, float, float] | None,
    head_motion: float,
    style: str,
    language: str,
    voice_name: str,
    **choices: Path | float | bool | None,
) -> int:
    """Let an avatar say a sound or a text, or follow the face in a video."""
    from avatar3d.report.names import distinct_names
    from avatar3d.speaking import SpeakParams, Spoke, VoiceParams, find_sounds, speak_sound, speak_text, speak_video
    from avatar3d.speech.performance.controls import Controls

    if bool(sounds) + (text is not None) + (video is not None) != 1:
        raise UsageError(
            "Give either sounds, --text or --video.",
            hint='avatar3d speak HELLO.wav -o DIR, avatar3d speak --text "Hello" -o DIR, or avatar3d speak --video ME.mp4 -o DIR',
        )
    params = SpeakParams(
        formats=tuple(dict.fromkeys(formats)) or (("glb",) if choices["avatar"] else ("csv",)),  # type: ignore[arg-type]
        controls=Controls(emotion, intensity, gaze, head_motion, style),
        **choices,  # type: ignore[arg-type]
    )

    def tell(spoke: Spoke) -> None:
        for warning in spoke.warnings:
            voice.warn(warning)
        paths = [str(path) for path in spoke.files]
        voice.result("\n".join(paths), {"files": paths, "seconds": spoke.duration_s, "warnings": spoke.warnings})

    if text is not None:
        tell(speak_text(text, out, "spoken", params, VoiceParams(language=language, voice=voice_name), voice.progress))
        return 0
    if video is not None:
        from avatar3d.following import follow_video

        if params.marks is not None:
            raise UsageError("--marks belong to a sound, not to a video.", hint="Leave them out.")
        face = follow_video(video, progress=voice.progress)
        (name,) = distinct_names([video.stem])
        tell(speak_video(video, face, out, name, params, voice.progress))
        return 0
    exit_code = 0
    found = find_sounds(sounds)
    if params.marks is not None and len(found) > 1:
        raise UsageError(f"--marks belong to one sound, got {len(found)}.", hint="Call once per sound.")
    for path, name in zip(found, distinct_names([path.stem for path in found]), strict=True):
        voice.progress(printable(path.name))
        try:
            tell(speak_sound(path, out, name, params, lambda stage: voice.progress(f"  {stage}")))
        except Avatar3dError as error:
            if len(found) == 1:
                raise
            voice.error(error)
            exit_code = error.exit_code
    return exit_code

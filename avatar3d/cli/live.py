"""avatar3d live: a face moves while somebody speaks: sources in, engines, browsers and recordings out."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import click

from avatar3d.cli.voice import Voice, speaking
from avatar3d.core.errors import UnreadableError, UsageError
from avatar3d.core.files import shown_path


@click.command()
@click.argument("things", metavar="[AVATAR|URL|RECORDING]...", nargs=-1)
@click.option("--mic", is_flag=True, help="Source: the microphone (extra 'mic').")
@click.option(
    "--mic-device", help="Another microphone than the usual one: its name or number in python -m sounddevice."
)
@click.option("--audio", type=click.Path(path_type=Path), help="Source: a sound file.")
@click.option("--text", help="Source: a text, said by espeak-ng (extra 'espeak').")
@click.option("--language", default="en", show_default=True, help="Of the text, such as en, de, pt-br.")
@click.option("--camera", type=click.IntRange(0), help="Source: a webcam, by its number.")
@click.option("--video", type=click.Path(path_type=Path), help="Source: a video of one face (extra 'video').")
@click.option("--clip", type=click.Path(path_type=Path), help="Source: a recorded clip (.npz, .csv, .livelink.csv).")
@click.option("--from", "heard", help="Source: an app that sends by UDP, such as livelink://:11111 or vmc://:39539.")
@click.option("--loop", is_flag=True, help="Begin the sound, video or clip again when it ends.")
@click.option("--stay", is_flag=True, help="Go on when the source has ended.")
@click.option(
    "--rate", "rate_hz", type=click.FloatRange(30, 120), default=60.0, show_default=True, help="Frames a second."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the WebSocket listens.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any that is free.")
@click.option(
    "--lan", is_flag=True, help="Listen for other computers and headsets: TLS and a pairing code (extra 'lan')."
)
@click.option("--no-server", is_flag=True, help="No WebSocket and no viewer, only the URLs and clips given.")
@click.option(
    "--emotion", default="neutral", show_default=True, help="neutral, joy, sadness ... or auto: by the voice."
)
@click.option("--intensity", type=float, default=1.0, show_default=True, help="0 to 1, of the emotion.")
@click.option("--head-motion", type=float, default=1.0, show_default=True, help="0 (none) to 2.")
@click.option("--style", default="natural", show_default=True, help="natural, calm, lively, newsreader or shy.")
@click.option("--replace", is_flag=True, help="Write over recordings that exist.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of blinks, glances, idle motion.")
@speaking
def live(voice: Voice, things: tuple[str, ...], **options: Any) -> int:
    """Move avatars live: in browsers, engines and apps, or record what they do.

    AVATAR is a GLB or the folder that `create` wrote. URL is where the face goes: ws:// livelink:// vmc:// ifacialmocap:// vrchat:// speaker://. RECORDING
    is a file that is written: NAME.npz, NAME.csv or NAME.livelink.csv.
    """
    from avatar3d.living.house import HouseParams, keep_house
    from avatar3d.living.sinks import is_sink, parse_sink
    from avatar3d.speech.performance.controls import Controls

    sinks = [parse_sink(thing) for thing in things if is_sink(thing)]
    avatars = tuple(Path(thing) for thing in things if not is_sink(thing))
    controls = Controls(options["emotion"], options["intensity"], None, options["head_motion"], options["style"])
    takes = [sink.path for sink in sinks if sink.scheme == "clip"]
    if len({os.path.realpath(path) for path in takes}) < len(takes):
        raise UsageError("one recording is given twice.", hint="Give each a name of its own.")
    taken = [path for path in takes if os.path.lexists(path)]
    if taken and not options["replace"]:
        raise UsageError(
            f'"{taken[0]}" exists, and would be written over by this recording.',
            hint="Give another name, or --replace. To play it: --clip.",
        )
    servers = [sink for sink in sinks if sink.scheme == "ws"]
    if options["no_server"] and (servers or options["lan"]):
        raise UsageError("--no-server does not go with ws:// or --lan.", hint="Leave one of them out.")
    if len(servers) > 1:
        raise UsageError("expected one ws:// at most: any number of clients may come to it.")
    params = HouseParams(
        avatars=avatars,
        order=_source(options),
        heard=options["heard"],
        sinks=tuple(
            dataclasses.replace(sink, replace_it=options["replace"])
            for sink in sinks
            if sink.scheme not in ("ws", "speaker")
        ),
        frames_late_s=servers[0].delay_s if servers else 0.0,
        speaker=next((sink for sink in sinks if sink.scheme == "speaker"), None),
        rate_hz=options["rate_hz"],
        serve=not options["no_server"],
        host=(servers[0].host if servers else "") or options["host"],
        port=(servers[0].port if servers else 0) or options["port"],
        lan=options["lan"],
        stay=options["stay"],
        controls=controls,
        seed=options["seed"],
    )
    ran = keep_house(params, tell=voice.progress, show=lambda text, facts: voice.result(text, facts))
    voice.result(
        f"{ran.seconds:.1f} seconds, {ran.frames} frames; ticks at most {ran.late_p99_ms:.1f} ms late (99 %), {ran.late_most_ms:.1f} ms (all)",
        {
            "seconds": ran.seconds,
            "frames": ran.frames,
            "late_p99_ms": ran.late_p99_ms,
            "late_most_ms": ran.late_most_ms,
        },
    )
    return 0


def _source(options: dict[str, Any]) -> dict[str, Any] | None:
    """The order of the one source, or None. Raises UsageError for two."""
    orders: list[dict[str, Any]] = []
    if options["mic"] or options["mic_device"]:
        device = options["mic_device"]
        orders.append({"do": "hear", "device": int(device) if device and device.isdecimal() else device})
    if options["audio"] is not None:
        orders.append({"do": "play", "path": str(options["audio"]), "loop": options["loop"]})
    if options["text"] is not None:
        if not options["text"].strip():
            raise UsageError("expected a text, got nothing that can be said.", hint='For example: --text "Hello."')
        orders.append({"do": "say", "text": options["text"], "language": options["language"], "loop": options["loop"]})
    if options["camera"] is not None:
        orders.append({"do": "look", "camera": options["camera"]})
    if options["video"] is not None:
        orders.append({"do": "watch", "path": str(options["video"]), "loop": options["loop"]})
    if options["clip"] is not None:
        orders.append({"do": "replay", "path": str(options["clip"]), "loop": options["loop"]})
    if len(orders) + (options["heard"] is not None) > 1:
        raise UsageError(
            "expected one source at most.", hint="One of --mic, --audio, --text, --camera, --video, --clip, --from."
        )
    for name in ("audio", "video", "clip"):
        if (path := options[name]) is not None and not path.is_file():
            raise UnreadableError(
                f"there is no file {shown_path(path)}.", hint=f"--{name} takes one.", id="FILE_MISSING", file=path
            )
    return orders[0] if orders else None

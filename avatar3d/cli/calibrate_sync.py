"""avatar3d calibrate-sync: find the delay at which an app's face and its sound are together."""

import click

from avatar3d.cli.voice import Voice, speaking


@click.command()
@click.argument("url")
@speaking
def calibrate_sync(voice: Voice, url: str) -> int:
    """Find the ?delay_ms= of a sink whose sound travels elsewhere."""
    from avatar3d.live.clock import MediaClock
    from avatar3d.living.calibrate import calibrate
    from avatar3d.living.house import run_loop
    from avatar3d.living.sinks import parse_sink
    from avatar3d.speech.sound.sounddevice import Loudspeaker

    sink, clock = parse_sink(url), MediaClock.begin()
    with Loudspeaker(clock=clock.now_s) as loudspeaker:
        found = run_loop(calibrate(sink, loudspeaker, clock, tell=voice.progress))
    voice.result(found.url, {"url": found.url, "delay_ms": found.delay_ms})
    return 0

"""avatar3d view: an avatar in the browser, to be turned, posed, spoken with and looked at closely."""

import webbrowser
from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking


@click.command()
@click.argument("avatars", metavar="GLB|FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0: any that is free.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@speaking
def view(voice: Voice, avatars: tuple[Path, ...], port: int, no_browser: bool) -> int:
    """Look at avatars in the browser."""
    from avatar3d.living.house import HouseParams, keep_house

    params = HouseParams(
        avatars=avatars, port=port, stay=True, page=True, opened=None if no_browser else webbrowser.open
    )
    keep_house(params, tell=voice.progress, show=lambda text, facts: voice.result(text, facts))
    return 0

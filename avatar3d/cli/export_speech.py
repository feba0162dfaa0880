"""avatar3d export-speech: the speech network for engines that cannot carry Python."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking


@click.command("export-speech")
@click.option(
    "--onnx", "path", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write."
)
@speaking
def export_speech(voice: Voice, path: Path) -> int:
    """Write the speech network as an ONNX graph for other engines.

    Beside it FILE.golden.json: sound and answers with which a runtime proves that it agrees.
    """
    from avatar3d.core.durable import write_atomically
    from avatar3d.speech.network.golden import golden_vectors
    from avatar3d.speech.network.model import load_network
    from avatar3d.speech.network.onnx import export_onnx

    network = load_network()
    written = export_onnx(network, path)
    golden = write_atomically(path.with_name(f"{path.stem}.golden.json"), golden_vectors(network))
    voice.result(f"{written}\n{golden}", {"onnx": str(written), "golden": str(golden), "bytes": written.stat().st_size})
    return 0

"""avatar3d train: the networks we ship, made anew from their data by one command."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking


@click.command()
@click.argument("network", type=click.Choice(["speech"]))
@click.option("--librispeech", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="LibriSpeech train-clean-5: SPEAKER/CHAPTER/*.opus (or flac) and *.trans.txt.")  # fmt: skip
@click.option("--work", default="build/speech", show_default=True, type=click.Path(path_type=Path, file_okay=False),
              help="Corpus and checkpoints; a run that was stopped goes on from there.")  # fmt: skip
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="For weights and bill."
)
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="One is faster on a busy machine."
)
@click.option("--steps", type=click.IntRange(1), help="Fewer or more than the shipped weights had.")
@speaking
def train(
    voice: Voice, network: str, librispeech: Path, work: Path, out: Path, device: str, threads: int, steps: int | None
) -> int:
    """Train a network of ours anew from its data."""
    from dataclasses import replace
    from importlib.util import find_spec

    from avatar3d.core.errors import MissingExtraError

    if find_spec("torch") is None:
        raise MissingExtraError("torch", "train", "Training")
    from avatar3d.speech.train.train import TrainParams, train_speech

    params = TrainParams(device=device, threads=threads)
    written = train_speech(librispeech, work, out, replace(params, steps=steps) if steps else params, voice.progress)
    voice.result(str(written), {"network": network, "weights": str(written)})
    return 0

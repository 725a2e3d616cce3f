"""`medseg demo`: see it work, without data of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the sample and the results.")] = Path(
        "out/demo"
    ),
    seed: Annotated[int, typer.Option(help="Of the synthetic sample.")] = 2012,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")] = False,
) -> None:
    """Draw a synthetic section of neural tissue, segment it with the shipped weights and score it."""
    from data_tools.synth.em import em_sections
    from medseg.cli.evaluate import evaluate
    from medseg.cli.predict import predict
    from medseg.io import Geometry, write_image, write_labels

    image, truth = output / "images" / "em_section.tif", output / "truth" / "em_section.tif"
    sample, geometry = em_sections((512, 512), seed=seed), Geometry("YX", (0.004, 0.004), "um")
    write_image(image, sample.image, geometry, overwrite=overwrite)
    write_labels(truth, sample.labels, geometry, overwrite=overwrite)
    typer.echo(f"A synthetic section and its truth: {image}, {truth}")
    predict("em_membrane_unet", [str(image)], output / "results", overlay=True, probabilities=True, overwrite=overwrite)
    evaluate(output / "results" / "em_section_labels.tif", truth)

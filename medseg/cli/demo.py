"""`medseg demo`: see it work, without data of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# what each bundle is shown on: (folder, name of the sample, pixel size in µm)
_SAMPLES = {"em_membrane_unet": (".", "em_section", 0.004), "nuclei_unetplusplus": ("nuclei", "nuclei", 0.5)}


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the samples and the results.")] = Path(
        "out/demo"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the synthetic samples.")] = 2012,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")] = False,
    *,
    context: typer.Context,
) -> None:
    """Draw synthetic neural tissue and nuclei, segment them with the shipped weights and score the results."""
    from medseg.cli.evaluate import evaluate
    from medseg.cli.predict import predict
    from medseg.io import Geometry, write_image, write_labels

    for bundle, (folder, name, spacing_um) in _SAMPLES.items():
        results = output / folder / "results"
        image, truth = (output / folder / part / f"{name}.tif" for part in ("images", "truth"))
        pixels, labels = _draw(name, seed)
        geometry = Geometry("YX", (spacing_um, spacing_um), "um")
        write_image(image, pixels, geometry, overwrite=overwrite)
        write_labels(truth, labels, geometry, overwrite=overwrite)
        typer.echo(f"{bundle}: a synthetic image and its truth: {image}, {truth}")
        predict(bundle, [str(image)], results, overlay=True, probabilities=True, overwrite=overwrite)
        evaluate(results / f"{name}_labels.tif", truth, context=context)


def _draw(name: str, seed: int):
    from data_tools.synth.em import em_sections
    from data_tools.synth.nuclei import nuclei

    sample = em_sections((512, 512), seed=seed) if name == "em_section" else nuclei((512, 512), seed, bits=16)
    return sample.image, sample.labels

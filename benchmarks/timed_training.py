"""Train a bundle's network for a given time, patches and network on one device.

    python benchmarks/timed_training.py BUNDLE DATA --seconds 300 --out model.pt [--set KEY=VALUE]

DATA is the bundle's training folder (images/, labels/, dataset.json). Network and loss are those of the bundle's
train.json; patches are drawn, deformed and recoloured on the device. The learning rate rises over the first twentieth
of the time and falls to 0 as a cosine; the file holds the running average of the weights in half precision. Made for
a GPU; without one it trains on the CPU, where several processes of one thread share the work of a step:

    OMP_NUM_THREADS=1 torchrun --nproc_per_node 2 benchmarks/timed_training.py BUNDLE DATA --batch 4   # each
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import torch
from device_patches.items import training_images
from device_patches.recipes import drawing
from monai.bundle import ConfigParser
from processes import join_processes, leave_processes, of_first, same_start, share_gradients
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from medseg.catalog import find_bundle
from medseg.cli.config_values import parse_settings
from medseg.inferers import AutocastInferer
from medseg.io.atomic import atomic_target
from medseg.losses import SumOfLosses
from medseg.training import training_layout
from medseg.training.weights_on_disk import weights_on_disk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=300, help="of training, after the images are read")
    parser.add_argument("--steps", type=int, help="stop after so many steps all the same")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, default=192, help="side of a patch in pixels")
    parser.add_argument("--slices", type=int, default=48, help="of a block of CT")
    parser.add_argument("--rate", type=float, default=1e-3, help="greatest learning rate")
    parser.add_argument("--decay", type=float, default=1e-2, help="weight decay")
    parser.add_argument("--still", type=float, default=0.0, help="share of the patches that are not deformed")
    parser.add_argument("--at-objects", type=float, default=0.0, help="share of the patches of sections around objects")
    parser.add_argument("--init", type=Path, help="weights to start from")
    parser.add_argument("--split", type=Path)
    parser.add_argument("--cache", type=Path, help="file of prepared images, made when missing")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="key of train.json")
    train(parser.parse_args())


def train(options: argparse.Namespace) -> None:
    """Train and write the averaged weights."""
    rank, processes = join_processes()
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    config = configuration(options, device)
    items = prepared(options, config)
    network, loss = config.get_parsed_content("network_def").to(device), config.get_parsed_content("loss")
    if options.init:
        network.load_state_dict(torch.load(options.init, map_location=device, weights_only=True))
    same_start(network)
    torch.manual_seed(options.seed + rank)  # each process draws patches of its own
    detector, volumes = isinstance(loss, SumOfLosses), network.spatial_dims == 3
    layout = torch.channels_last_3d if volumes else training_layout(device)
    network = network.to(memory_format=layout).train()
    torch.backends.cudnn.benchmark = not detector  # whose heads see another number of boxes each time
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    shares = {"still": options.still, "slices": options.slices, "at_objects": options.at_objects}
    draw = drawing(options.bundle, config, items, device, options.batch, options.size, **shares)
    fused = device.type == "cuda"
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=options.decay, fused=fused)
    autocast = AutocastInferer()
    average = AveragedModel(network, multi_avg_fn=towards, use_buffers=True)
    if rank == 0:
        say(options, f"{len(items)} images, {sum(p.numel() for p in network.parameters())} parameters")
    start = said = time.perf_counter()
    step, total = 0, torch.zeros((), device=device)
    while (done := of_first((time.perf_counter() - start) / options.seconds)) < 1 and step != options.steps:
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1.0, done / 0.05) * (1 + math.cos(math.pi * done)) / 2
        image, target = draw()
        output = autocast(image, network, target) if detector else autocast(image.to(memory_format=layout), network)
        value = loss(output, target)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        share_gradients(network)
        norm = nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        if bool(torch.isfinite(norm)):
            optimizer.step()
            average.update_parameters(network)
        step += 1
        total += value.detach()
        if time.perf_counter() - said > 20:
            said = time.perf_counter()
            if rank == 0:
                say(options, f"{said - start:.0f} s, step {step}, mean loss {total.item() / step:.4f}")
                save(average, options.out)
    if rank == 0:
        save(average, options.out)
        say(options, f"{step} steps of {processes * options.batch} in {time.perf_counter() - start:.0f} s")
    leave_processes()


def configuration(options: argparse.Namespace, device: torch.device) -> ConfigParser:
    """The bundle's ``train.json`` with the values given."""
    bundle = find_bundle(options.bundle)
    config = ConfigParser()
    config.read_config(str(bundle.config("train")))
    values = {"bundle_root": str(bundle.root), "dataset_dir": str(options.data), "device": device}
    if options.split:
        values["split_file"] = str(options.split)
    for key, value in (values | parse_settings(options.set, {})).items():
        config[key] = value
    return config


def prepared(options: argparse.Namespace, config: ConfigParser) -> list[dict[str, torch.Tensor]]:
    """The training images, from the cache where there is one."""
    if options.cache and options.cache.exists():
        return torch.load(options.cache, weights_only=True)
    items = training_images(options.bundle, config, options.workers)
    if options.cache:
        torch.save(items, options.cache)
    return items


def say(options: argparse.Namespace, what: str) -> None:
    """One line at once."""
    print(f"{options.bundle}: {what}", flush=True)


@torch.no_grad()
def towards(averages: list[Tensor], values: list[Tensor], updates: int | Tensor) -> None:
    """Move averages of weights and statistics towards their values by a thousandth, early on by more."""
    if averages[0].is_floating_point():
        torch._foreach_lerp_(averages, values, 1 - min(0.999, (1 + int(updates)) / (10 + int(updates))))
    else:
        torch._foreach_copy_(averages, values)


def save(average: AveragedModel, path: Path) -> None:
    """Write the average in half precision, whole or not at all."""
    state = {k: v.contiguous() for k, v in average.module.state_dict().items()}
    with atomic_target(path, overwrite=True) as partial:
        torch.save(weights_on_disk(state, torch.float16), partial)


if __name__ == "__main__":
    main()

import json

import numpy as np
import pytest
import torch
from fill_weights import checksum, fill_state, synth_image

from medseg.errors import InputError
from medseg.networks import UNetPlusPlus, convert_nested_unet


@pytest.fixture(scope="module")
def shapes(arch_oracle):
    facts = json.loads((arch_oracle / "unetpp_facts.json").read_text())
    return facts["pytorch_nested_unet"]["NestedUNet_ds_keys"]


def checkpoint(shapes, prefix=""):
    return {prefix + key: torch.from_numpy(array) for key, array in fill_state(shapes).items()}


@pytest.mark.parametrize("prefix", ["", "module."])
def test_parity_with_4uiiurz1(arch_oracle, shapes, prefix):
    stored = np.load(arch_oracle / "nestedunet_4uiiurz1.npz")
    meta = json.loads(str(stored["meta"]))
    image = synth_image(meta["input"]["name"], meta["input"]["shape"])
    assert checksum(image) == meta["input"]["crc32"]
    network = UNetPlusPlus(2, 3, 1, norm="batch", upsample="bilinear")
    missing, unexpected = network.load_state_dict(convert_nested_unet(checkpoint(shapes, prefix)), strict=False)
    assert not unexpected
    assert all(key.endswith("num_batches_tracked") for key in missing)
    network.double().eval()
    with torch.inference_mode():
        for level in network.levels:
            output = network.pruned(level)(torch.from_numpy(image)[None].double()).numpy()
            expected = stored[f"output{level}"]
            assert np.abs(output - expected).max() <= 1e-6 * np.abs(expected).max()


def test_without_deep_supervision(shapes):
    state = {k: v for k, v in checkpoint(shapes).items() if "final" not in k}
    state |= {"final.weight": torch.zeros(1, 32, 1, 1), "final.bias": torch.zeros(1)}
    network = UNetPlusPlus(2, 3, 1, deep_supervision=False, norm="batch", upsample="bilinear")
    missing, unexpected = network.load_state_dict(convert_nested_unet(state), strict=False)
    assert not unexpected
    assert all(key.endswith("num_batches_tracked") for key in missing)


def test_refuses_keys_of_another_network():
    with pytest.raises(InputError, match=r"'encoder\.conv1\.weight' is no key"):
        convert_nested_unet({"encoder.conv1.weight": torch.zeros(1)})

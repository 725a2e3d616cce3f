import pytest
import torch

from medseg.catalog import Bundle
from medseg.errors import InputError
from medseg.workflow.load import load_workflow, root_cause


@pytest.mark.parametrize("key", ["epoch", "network_def::chanels", "train::handlers::99", "run::x", "threshold::0"])
def test_a_key_that_the_config_lacks(tiny_bundle, key):
    with pytest.raises(InputError, match=f"tiny_em: its inference.json has no key '{key}' to set"):
        load_workflow(Bundle(tiny_bundle), "inference", {key: 1})


@pytest.mark.parametrize(
    ("key", "meant"), [("min_sise", "min_size"), ("channels", "network_def::channels"), ("qqq", None)]
)
def test_a_key_that_may_be_meant_is_named(tiny_bundle, key, meant):
    with pytest.raises(InputError) as caught:
        load_workflow(Bundle(tiny_bundle), "inference", {key: 1})
    assert ("did you mean" in str(caught.value)) == bool(meant)
    assert (meant or "inference.json shows all") in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("min_size", "few", "give a number such as"),
        ("tta", "no", "give true or false"),
        ("tta", "", "give true or false"),
    ],
)
def test_text_in_place_of_a_number_or_a_switch(tiny_bundle, key, value, wanted):
    with pytest.raises(InputError, match=f"tiny_em: {key}={value}: {wanted}"):
        load_workflow(Bundle(tiny_bundle), "inference", {key: value})


def test_settings_reach_nested_keys(tiny_bundle):
    settings = {"min_size": 7, "preprocessing::transforms::4::channels": 3, "device": "cpu"}
    parser = load_workflow(Bundle(tiny_bundle), "inference", settings, datalist=[{"image": ""}]).parser
    assert parser.get_parsed_content("postprocessing").transforms[2].transform.min_size == 7
    assert parser.get_parsed_content("preprocessing").transforms[4].channels == 3


def test_weights_of_another_network(tiny_bundle):
    with pytest.raises(InputError, match=r"the weights .*model\.pt are those of another network; .* --set network_def"):
        load_workflow(
            Bundle(tiny_bundle),
            "inference",
            {"network_def::channels": [2, 2], "weights": str(tiny_bundle / "models" / "model.pt")},
            datalist=[{"image": ""}],
        )


def chained(*errors, explicit=True):
    previous = None
    for error in errors:
        try:
            if explicit:
                raise error from previous
            raise error
        except Exception as caught:
            previous = caught
    return previous


def test_root_cause():
    ours = InputError("x.tif: bad")
    assert root_cause(chained(KeyError("inner"), ours, RuntimeError("applying transform"))) == "x.tif: bad"
    assert root_cause(ValueError("why")) == "ValueError: why"
    assert root_cause(chained(ValueError("first"), RuntimeError("later"))) == "ValueError: first"
    assert root_cause(OSError(28, "No space left on device", "o/x.tif")) == "o/x.tif: No space left on device"
    assert root_cause(OSError(28, "No space left on device")) == "writing: No space left on device"


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
            "9 bytes",
        ),
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has"), "2.50 GiB"),
        (MemoryError("Unable to allocate 1.00 PiB for an array with shape (1125899906842624,)"), "1.00 PiB"),
    ],
)
def test_memory_that_is_not_there(error, wanted):
    assert root_cause(error).startswith(
        f"needs more memory than there is, {wanted} at once: is the pixel or voxel size"
    )
    assert root_cause(MemoryError()).startswith("needs more memory than there is: is the")

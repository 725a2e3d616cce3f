"""Dictionary forms have the parameters of their array forms, and hand every one over."""

import inspect

import pytest
from monai.transforms import MapTransform, Transform

from medseg import transforms

PAIRS = {
    getattr(transforms, name[:-1]): form
    for name, form in vars(transforms).items()
    if inspect.isclass(form) and issubclass(form, MapTransform) and inspect.isclass(getattr(transforms, name[:-1], 0))
}
OTHER_THAN_DEFAULT = [
    (transforms.BorderWeightMap, {"w0": 7.0, "sigma": 3.0, "class_balance": 0.3, "separate_touching": False}),
    (transforms.BorderWeightMap, {"objects": "cores", "cutoff": 9.0, "units": "physical", "spacing": (2.0, 3.0)}),
    (transforms.BorderWeightMap, {"preset": "lmb"}),
    (transforms.CLAHE, {"kernel_size": 8, "clip_limit": 0.5, "nbins": 16, "spatial_dims": 2}),
    (transforms.DetectionTarget, {"min_size": 5}),
    (transforms.ForegroundAndCores, {"share": 0.3}),
    (transforms.HUWindow, {"window": "lung", "clip": False}),
    (transforms.InstancesFromCore, {"core_threshold": 0.7, "cell_threshold": 0.6, "min_core": 4, "min_size": 5}),
    (transforms.InstancesFromCore, {"spatial_dims": 3, "max_size": 90, "neck": 0.4, "min_confidence": 0.8}),
    (transforms.InstancesFromProbability, {"seed_threshold": 0.7, "threshold": 0.6, "min_size": 5, "spatial_dims": 3}),
    (transforms.PercentileNormalize, {"lower": 2.0, "upper": 98.0, "spatial_dims": 3, "clip": True, "together": True}),
    (transforms.PercentileNormalize, {"gamma": 2.0}),
    (transforms.RandChannelMix, {"prob": 0.3, "invert": 0.4, "gain": 0.6}),
    (transforms.RandChannelNoise, {"prob": 0.4, "std": 0.3, "alike": 0.2}),
    (transforms.RandElasticDeformation, {"sigma": 3.0, "control_points": 5, "control_spacing": 7.0, "prob": 0.7}),
    (transforms.RandElasticDeformation, {"mode": "nearest", "units": "physical", "spacing": (2.0, 3.0)}),
    (transforms.RandElasticDeformation, {"prevent_folding": False}),
    (transforms.SeparateTouching, {"connectivity": 1}),
]


def parameters(of):
    return {name: p.default for name, p in inspect.signature(of.__init__).parameters.items() if p.kind != p.VAR_KEYWORD}


def settings(transform):
    own = {name: value for name, value in vars(transform).items() if name != "R"}  # the state of its random draws
    return {name: settings(value) if isinstance(value, Transform) else value for name, value in own.items()}


@pytest.mark.parametrize(("array", "form"), PAIRS.items(), ids=lambda c: c.__name__)
def test_parameters_and_defaults_are_those_of_the_array_form(array, form):
    assert parameters(form).items() >= {k: v for k, v in parameters(array).items() if k not in ("self", "args")}.items()
    told = [name for kind, options in OTHER_THAN_DEFAULT if kind is array for name in options]
    assert {"self", "args", *told} >= set(parameters(array)), "each parameter needs a row above"


@pytest.mark.parametrize(("array", "options"), OTHER_THAN_DEFAULT)
def test_every_parameter_arrives(array, options):
    form = PAIRS[array]("image", **options)
    (inside,) = (value for value in vars(form).values() if isinstance(value, array))
    arrived = settings(inside)
    if array is transforms.RandElasticDeformation:  # these two are the dictionary form's own business
        arrived |= {"prob": form.prob, "mode": form.mode[0]}
    assert arrived == settings(array(**options))

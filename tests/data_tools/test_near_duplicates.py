"""Near-duplicates survive brightness, noise and scale; other images do not match."""

import numpy as np
from skimage.transform import rescale

from data_tools.near_duplicates import duplicate_clusters, fingerprint, near_duplicates
from data_tools.synth.em import em_sections

IMAGES = [em_sections((128, 160), seed).image for seed in range(6)]


def pairs(images):
    return [(i, j) for i, j, _ in near_duplicates([fingerprint(i) for i in images])]


def test_different_images_do_not_match():
    assert pairs(IMAGES) == []


def test_changed_copies_match():
    image = IMAGES[0].astype(float)
    noisy = image + np.random.default_rng(0).normal(0, 8, image.shape)
    for copy in (image * 0.5 + 30, noisy, image.astype(np.uint16) * 200, rescale(image, 1.5, order=1)):
        assert pairs([*IMAGES, copy]) == [(0, 6)]


def test_small_constant_and_stacked_images():
    assert pairs([np.zeros((8, 8)), np.zeros((3, 40, 40))]) == []
    assert pairs([IMAGES[1], np.stack([IMAGES[0], IMAGES[1], IMAGES[2]])]) == [(0, 1)]


def test_clusters_follow_chains():
    assert duplicate_clusters(5, [(0, 2, 1.0), (2, 4, 1.0)]).tolist() == [0, 1, 0, 2, 0]
    assert duplicate_clusters(2, []).tolist() == [0, 1]

"""Average what a network says of an image and of its mirror images, quarter turns and enlargements."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from monai.inferers import Inferer, SimpleInferer
from monai.utils import convert_to_dst_type, convert_to_tensor, ensure_tuple
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid

from medseg.errors import InputError
from medseg.inferers.one_tensor import one_tensor
from medseg.inferers.progress_through import report_share
from medseg.inferers.rescaled import RescaledInferer
from medseg.inferers.slice_by_slice import check_around_slices


class Symmetry(NamedTuple):
    """A mirror image or quarter turn: first the last two axes change places (if at all), then axes are flipped."""

    transposed: bool
    flipped: tuple[int, ...]

    def apply(self, image: Tensor) -> Tensor:
        """The image as seen through this symmetry; axes are counted from the end."""
        image = image.transpose(-1, -2) if self.transposed else image
        return image.flip(self.flipped) if self.flipped else image

    def undo(self, image: Tensor) -> Tensor:
        """What gives ``image`` when this symmetry is applied."""
        image = image.flip(self.flipped) if self.flipped else image
        return image.transpose(-1, -2) if self.transposed else image


class TestTimeAugmentationInferer(Inferer):
    """Run an inferer on mirror images, quarter turns and other sizes of the input and average the probabilities.

    Probabilities are averaged, after the activation and with equal weight; what is returned are the logits of
    the mean, so that everything behind the inferer stays as it is. Costs as many runs as there are symmetries,
    at each of the sizes (a size of 1.3 costs 1.7 runs in 2D). The U-Net paper averages seven rotated inputs
    (turns by right angles need no interpolation), DeepLabV3+ mirrored inputs of several sizes.

    MONAI's ``TestTimeAugmentation`` draws random transforms of a data set's items and inverts them; it is no
    inferer, and random draws of a group of eight repeat some of its members and leave out others.

    Args:
        inferer: what runs the network on each view, for example :class:`medseg.inferers.OverlapTileInferer`.
            None: the network on the whole view.
        activation: how logits become probabilities, ``"sigmoid"`` (channels by themselves) or ``"softmax"``
            (over the channels).
        spatial_dims: axes of one section, 2 or 3; axes between these and the channels are sections.
        symmetries: ``"dihedral"``: the eight flips and quarter turns of the last two axes (in 3D with flips
            along the first: sixteen); ``"flips"``: 2^spatial_dims, for pixels that are not square;
            ``"sides"``: as it is and flipped along the first spatial axis, for patients oriented to RAS;
            ``"none"``: as it is. None: dihedral in 2D; flips in 3D.
        zooms: sizes at which every view is seen, relative to the image's, see
            :class:`medseg.inferers.RescaledInferer`.
        side_pairs: pairs of channels that change places when the first spatial axis is flipped, for example
            ``[[3, 4]]`` for the right and the left parotid gland.
        enabled: False runs ``inferer`` once, as if this class were not there.

    Shapes: as the inferer inside; an image need not be square.

    Raises:
        ValueError: an unknown activation or set of symmetries, ``spatial_dims`` other than 2 or 3, no zoom or one
            out of range, a channel in two of the ``side_pairs``, pairs together with turns, which leave no axis from
            side to side, other axes than those of the volume around a :class:`medseg.inferers.SliceBySliceInferer`, or,
            when called, a network that returns several tensors, or another size than that of the image.
        InputError: when called, ``side_pairs`` of channels that the network does not have.

    Source: O. Ronneberger, P. Fischer, T. Brox, "U-Net", MICCAI 2015, section 4; L.-C. Chen et al., "Encoder-Decoder
    with Atrous Separable Convolution", ECCV 2018, section 4.
    """

    __test__ = False  # the name is the field's; pytest shall not collect it

    def __init__(
        self,
        inferer: Inferer | None = None,
        activation: str = "sigmoid",
        spatial_dims: int = 2,
        symmetries: str | None = None,
        enabled: bool = True,
        side_pairs: Sequence[Sequence[int]] = (),
        zooms: float | Sequence[float] = (1.0,),
    ) -> None:
        super().__init__()
        if activation not in ("sigmoid", "softmax"):
            raise ValueError(f'activation {activation!r}: give "sigmoid" or "softmax"')
        paired = [channel for pair in side_pairs for channel in pair]
        if len(set(paired)) < len(paired):
            raise ValueError(f"side_pairs {side_pairs}: each channel has one partner at most")
        self.symmetries = symmetries_of(spatial_dims, symmetries)
        if paired and any(symmetry.transposed for symmetry in self.symmetries):
            raise ValueError('side_pairs need symmetries of "flips" or "sides": turns leave no axis from side to side')
        check_around_slices(inferer, spatial_dims, any(symmetry.transposed for symmetry in self.symmetries))
        zooms = ensure_tuple(zooms)
        if not zooms:
            raise ValueError("zooms: give at least one, 1 for the image as it is")
        self.inferer = inferer or SimpleInferer()
        self._sized = [RescaledInferer(self.inferer, zoom, spatial_dims) for zoom in zooms]
        self.activation, self.enabled = activation, enabled
        self.side_axis, self.side_pairs = -spatial_dims, [(int(a), int(b)) for a, b in side_pairs]
        self.progress: Callable[[int, int], None] | None = None

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        """Logits of the mean probability, at the place and size of ``inputs``."""
        image = convert_to_tensor(inputs, track_meta=False)
        if not self.enabled:
            report_share(self.inferer, self.progress, 0, 1)
            logits = one_tensor(self.inferer(image, network, *args, **kwargs))
            return convert_to_dst_type(logits, inputs, dtype=logits.dtype)[0]
        views = list(itertools.product(self._sized, self.symmetries))
        total: tuple[Tensor, ...] | None = None
        for number, (inferer, symmetry) in enumerate(views):
            report_share(self.inferer, self.progress, number, len(views))
            logits = symmetry.undo(one_tensor(inferer(symmetry.apply(image), network, *args, **kwargs)))
            if self.side_axis in symmetry.flipped:
                logits = self._exchanged(logits)
            logs = self._log_probabilities(logits)
            total = logs if total is None else tuple(map(torch.logaddexp, total, logs))
        logs = tuple(t - math.log(len(views)) for t in total)
        mean = logs[0] if self.activation == "softmax" else logs[0] - logs[1]
        return convert_to_dst_type(mean.contiguous(), inputs, dtype=mean.dtype)[0]

    def _exchanged(self, logits: Tensor) -> Tensor:
        channels = logits.shape[1]
        if max(itertools.chain(*self.side_pairs), default=0) >= channels:
            pairs = [list(pair) for pair in self.side_pairs]
            raise InputError(
                f"side_pairs {pairs} name channels that the network ({channels}) does not have; "
                '--set "side_pairs=[]", or the pairs of yours'
            )
        order = list(range(channels))
        for a, b in self.side_pairs:
            order[a], order[b] = b, a
        return logits[:, order] if self.side_pairs else logits

    def _log_probabilities(self, logits: Tensor) -> tuple[Tensor, ...]:
        # in logarithms nothing saturates: a probability of 1 - 1e-12 survives the mean, unless it is in half precision
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        if self.activation == "softmax":
            return (log_softmax(logits, dim=1),)
        return logsigmoid(logits), logsigmoid(-logits)


def symmetries_of(spatial_dims: int, name: str | None = None) -> list[Symmetry]:
    """The symmetries of a name, see :class:`TestTimeAugmentationInferer`; the identity first.

    Raises:
        ValueError: an unknown name, ``spatial_dims`` other than 2 or 3.
    """
    if spatial_dims not in (2, 3):
        raise ValueError(f"spatial_dims is 2 or 3, not {spatial_dims}")
    name = name or ("dihedral" if spatial_dims == 2 else "flips")
    if name not in ("dihedral", "flips", "sides", "none"):
        raise ValueError(f'symmetries {name!r}: give "dihedral", "flips", "sides", "none" or None')
    if name == "none":
        return [Symmetry(False, ())]
    if name == "sides":
        return [Symmetry(False, ()), Symmetry(False, (-spatial_dims,))]
    axes, turns = range(-spatial_dims, 0), name == "dihedral"
    subsets = [s for n in range(spatial_dims + 1) for s in itertools.combinations(axes, n)]
    return [Symmetry(t, s) for t in ((False, True) if turns else (False,)) for s in subsets]

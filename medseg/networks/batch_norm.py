"""Batch normalisation that also trains where a batch holds a single value per channel."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm


class BatchNorm(_BatchNorm):
    """Batch normalisation over any number of spatial axes; parameters and keys are those of ``nn.BatchNorm2d``.

    A batch of one image whose features are 1 pixel wide (global pooling, or an image no larger than the
    network's stride) has no variance: PyTorch raises "Expected more than 1 value per channel when training".
    Here such a batch is normalised with the running statistics, as in evaluation, and leaves them alone. Without
    running statistics (``track_running_stats=False``, ``torch.func.replace_all_batch_norm_modules_``) it is PyTorch's.

    Shapes: ``(B, C, *spatial)`` to the same, float.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalised features."""
        if self.running_mean is None:
            return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)
        use_batch = self.training and x.numel() > x.shape[1]
        momentum = 0.0 if self.momentum is None else self.momentum
        if use_batch:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # PyTorch's sign for the plain mean over all batches; update_bn sets it
                momentum = 1.0 / float(self.num_batches_tracked)
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, use_batch, momentum, self.eps
        )

    def _check_input_dim(self, x: Tensor) -> None:
        """Any number of axes is fine."""

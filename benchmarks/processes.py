"""Several processes, started by ``torchrun``, that train one network together."""

from __future__ import annotations

import os

import torch
from torch import distributed, nn


def join_processes() -> tuple[int, int]:
    """Meet the other processes of ``torchrun``: own number and how many there are; (0, 1) without it."""
    if "WORLD_SIZE" in os.environ:
        distributed.init_process_group("gloo")
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def leave_processes() -> None:
    """Wait for the others, then part: one that ends while another still speaks to it aborts."""
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


def same_start(network: nn.Module) -> None:
    """Give all processes the first one's weights and statistics."""
    if distributed.is_initialized():
        for tensor in network.state_dict().values():
            distributed.broadcast(tensor, 0)


def of_first(value: float) -> float:
    """The first process's value, so that all end at the same step."""
    if not distributed.is_initialized():
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    distributed.broadcast(shared, 0)
    return shared.item()


def share_gradients(network: nn.Module) -> None:
    """Replace each gradient by its mean over the processes."""
    if not distributed.is_initialized():
        return
    gradients = [p.grad if p.grad is not None else p.new_zeros(p.shape) for p in network.parameters()]
    flat = torch.cat([g.reshape(-1) for g in gradients]) / distributed.get_world_size()
    distributed.all_reduce(flat)
    for parameter, part in zip(network.parameters(), flat.split([g.numel() for g in gradients]), strict=True):
        parameter.grad = part.reshape(parameter.shape)

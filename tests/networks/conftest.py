"""Counting, and a server of weights, that the tests of several networks share."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd


@pytest.fixture(scope="session")
def count_parameters() -> Callable[[nn.Module], int]:
    return lambda network: sum(p.numel() for p in network.parameters())


@pytest.fixture(scope="session")
def count_macs() -> Callable[..., int]:
    """Multiply-adds of the convolutions for a zero image of a shape; the network may lie on the meta device."""

    def count(network: nn.Module, *shape: int) -> int:
        total = 0

        def add(conv: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
            nonlocal total
            pixels = inputs[0] if isinstance(conv, _ConvTransposeNd) else output
            total += pixels[0, 0].numel() * conv.weight.numel()

        hooks = [m.register_forward_hook(add) for m in network.modules() if isinstance(m, _ConvNd)]
        network.eval()(torch.zeros(shape, device=next(network.parameters()).device))
        for hook in hooks:
            hook.remove()
        return total

    return count


@pytest.fixture
def server(monkeypatch):
    """A server on this machine; ``files`` maps names to contents, ``requests`` lists what was asked for."""
    files: dict[str, bytes] = {}
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path[1:]
            requests.append(name)
            self.send_response(200 if name in files else 404)
            self.send_header("Content-Length", str(len(files.get(name, b""))))
            self.end_headers()
            self.wfile.write(files.get(name, b""))

        def log_message(self, *args) -> None:
            """Quiet."""

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    service = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.files, service.requests = files, requests
    service.url = f"http://127.0.0.1:{service.server_address[1]}/"
    thread = threading.Thread(target=service.serve_forever, args=(0.01,))
    thread.start()
    yield service
    service.shutdown()
    thread.join()
    service.server_close()

import os
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_processes_share_gradients_and_end_together(tmp_path):
    script = tmp_path / "share.py"
    script.write_text(
        "import torch\n"
        "from processes import join_processes, leave_processes, of_first, same_start, share_gradients\n"
        "rank, count = join_processes()\n"
        "network = torch.nn.ModuleList([torch.nn.Linear(3, 2), torch.nn.Linear(1, 1)])\n"
        "network[0].weight.data.fill_(rank + 3.0)\n"
        "same_start(network)\n"
        "assert torch.equal(network[0].weight.data, torch.full((2, 3), 3.0))\n"
        "network[0].weight.grad = torch.full((2, 3), float(rank))\n"
        "if rank == 0: network[0].bias.grad = torch.tensor([2.0, 4.0])\n"
        "share_gradients(network)\n"
        "assert count == 2 and of_first(rank + 5.0) == 5.0\n"
        "assert torch.equal(network[0].weight.grad, torch.full((2, 3), 0.5))\n"
        "assert network[0].bias.grad.tolist() == [1.0, 2.0] and network[1].bias.grad.tolist() == [0.0]\n"
        "leave_processes()\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", script]
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]

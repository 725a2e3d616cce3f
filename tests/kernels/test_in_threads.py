import numpy as np
import pytest

from medseg.kernels.in_threads import in_threads


@pytest.mark.parametrize("count", [0, 1, 5, 64])
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_every_line_is_done_once(count, threads):
    done = np.zeros(count, int)

    def work(start, stop):
        done[start:stop] += 1

    in_threads(work, count, threads)
    assert (done == 1).all()


def test_an_error_of_a_thread_is_raised():
    def work(start, stop):
        if start > 0:
            raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        in_threads(work, 4, 2)

"""Two stages at a time: order, errors, and what another thread is told."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from kgmrca.extraction.encoder.ahead import ahead


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_batches_come_in_their_order_with_what_was_found(threads):
    assert [(batch, done()) for batch, done in ahead(range(5), str)] == [(n, str(n)) for n in range(5)]
    assert list(ahead([], str)) == []


def test_one_thread_of_torch_means_one_thread(threads):
    where = [done() for _, done in ahead(range(3), lambda _: threading.current_thread() is threading.main_thread())]
    assert where == [threads == 1] * 3


def test_the_next_batch_is_made_while_the_other_thread_works():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    may_end = threading.Event()

    def batches():
        yield 1
        may_end.set()  # the work on the first batch waits for the second one
        yield 2

    try:
        found = [done() for _, done in ahead(batches(), lambda _: may_end.wait(60))]
    finally:
        torch.set_num_threads(before)
    assert found == [True, True]


def test_an_error_is_raised_where_its_batch_is_used(threads):
    found = []
    for batch, done in ahead([1, 0, 2], lambda number: 1 / number):
        try:
            found.append(done())
        except ZeroDivisionError:
            found.append(batch)
    assert found == [1.0, 0, 0.5]


def test_what_was_made_before_an_error_is_given_first(threads):
    def batches():
        yield 1
        yield 2
        raise ValueError("no third")

    found = []

    def use():
        for _, done in ahead(batches(), str):
            found.append(done())

    with pytest.raises(ValueError, match="no third"):
        use()
    assert found == ["1", "2"]


def test_who_stops_early_leaves_no_thread_behind(threads):
    before = threading.active_count()
    stream = ahead(range(9), str)
    next(stream)
    stream.close()
    assert threading.active_count() == before


def test_each_of_the_two_has_half_of_the_threads_of_torch():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    made, between = [], []

    def batches():
        for number in range(3):
            made.append(torch.get_num_threads())
            yield number

    try:
        worked = []
        for _, done in ahead(batches(), lambda _: torch.get_num_threads()):
            between.append(torch.get_num_threads())
            worked.append(done())
        after = [torch.get_num_threads(), _threads_of_a_new_thread()]
    finally:
        torch.set_num_threads(before)
    assert (made, worked, between, after) == ([2] * 3, [2] * 3, [4] * 3, [4, 4])


def test_torch_has_its_threads_again_after_an_error_and_where_somebody_stops_early():
    before = torch.get_num_threads()
    torch.set_num_threads(4)

    def fails():
        yield 1
        raise ValueError("no second")

    try:
        stream = ahead(range(9), str)
        next(stream)
        left = [torch.get_num_threads(), _threads_of_a_new_thread()]
        stream.close()
        with pytest.raises(ValueError, match="no second"):
            list(ahead(fails(), str))
        left += [torch.get_num_threads(), _threads_of_a_new_thread()]
    finally:
        torch.set_num_threads(before)
    assert left == [4] * 4


def _threads_of_a_new_thread():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()

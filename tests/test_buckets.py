from hypothesis import given
from hypothesis import strategies as st

from kgmrca import buckets
from kgmrca.buckets import Store

rows = st.lists(st.tuples(st.sampled_from(["a", "b", "é", "a b"]), st.sampled_from(["", "1", "2\t3"])))


def grouped(folder, rows, bits=0):
    """All that comes back, bucket by bucket."""
    task_buckets = Store(folder, bits).buckets("part")
    for key, rest in rows:
        task_buckets.put("kind", key.encode(), f"{key}\t{rest}".encode())
    task_buckets.flush()
    return [
        (key.decode(), rest) for number in range(2**bits) for key, rest in Store(folder, bits).groups("kind", number)
    ]


@given(rows, st.integers(1, 8))
def test_the_number_of_buckets_makes_no_difference(tmp_path_factory, rows, bits):
    folder = tmp_path_factory.mktemp("buckets")
    assert grouped(folder, rows, bits) == grouped(folder, rows)


@given(rows)
def test_each_key_comes_once_with_its_different_rows(tmp_path_factory, rows):
    found = grouped(tmp_path_factory.mktemp("buckets"), rows)
    assert len({key for key, _ in found}) == len(found)
    assert {(key, row.decode()) for key, rest in found for row in rest} == set(rows)
    assert all(rest == sorted(set(rest)) for _, rest in found)


def test_parts_of_several_tasks_meet(tmp_path):
    for part in ("one", "two"):
        task_buckets = Store(tmp_path, 0).buckets(part)
        task_buckets.put("kind", b"a", f"a\t{part}".encode())
        task_buckets.flush()
    assert list(Store(tmp_path, 0).groups("kind", 0)) == [(b"a", [b"one", b"two"])]


def test_rows_that_do_not_fit_into_memory_are_written_early(tmp_path, monkeypatch):
    monkeypatch.setattr(buckets, "_MOST_IN_MEMORY", 5)
    task_buckets = Store(tmp_path, 0).buckets("part")
    for number in range(4):
        task_buckets.put("kind", b"a", b"a\t%d" % number)
    assert len(list(Store(tmp_path, 0).rows("kind", 0, keep=True))) == 4


def test_a_bucket_is_gone_once_it_is_read_unless_it_is_kept(tmp_path):
    task_buckets = Store(tmp_path, 0).buckets("part")
    task_buckets.put("kind", b"a", b"a\tx")
    task_buckets.flush()
    assert list(Store(tmp_path, 0).rows("kind", 0, keep=True)) == [b"a\tx"]
    assert list(Store(tmp_path, 0).rows("kind", 0)) == [b"a\tx"]
    assert list(Store(tmp_path, 0).rows("kind", 0)) == []


def test_keys_are_spread_over_the_buckets(tmp_path):
    store = Store(tmp_path, 3)
    task_buckets = store.buckets("part")
    for number in range(400):
        task_buckets.put("kind", b"%d" % number, b"%d\t" % number)
    task_buckets.flush()
    sizes = [len(list(store.rows("kind", number))) for number in range(8)]
    assert sum(sizes) == 400
    assert min(sizes) > 20

"""A model's pickle gives arrays and nothing else: whatever else it asks for is refused with an id, and nothing happens."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar3d.core.errors import LimitError, ModelUntrustedError, UnreadableError
from avatar3d.head import unpickle, unpickle_child
from avatar3d.head.unpickle import read_pickle
from avatar3d.head.unpickle_child import Refused, read_arrays
from tests.made_heads import write_flame

CHILD = Path(unpickle_child.__file__)
PLAIN = {"v_template": np.arange(12.0).reshape(4, 3), "f": np.array([[0, 1, 2]], np.uint32), "J_regressor": np.eye(5, 4),
         "shapedirs": np.ones((4, 3, 2), ">f8"), "kintree_table": np.zeros((2, 5))}  # fmt: skip


class Calls:
    """Reduces to a call of anything."""

    def __init__(self, what: Any, *arguments: Any) -> None:
        self.call = (what, arguments)

    def __reduce__(self) -> Any:
        return self.call


def raw(*opcodes: bytes) -> bytes:
    return b"\x80\x02" + b"".join(opcodes) + b"."


def test_arrays_chumpy_and_sparse_matrices_come_out_as_they_went_in(tmp_path: Path) -> None:
    for protocol in (0, 2, 4):
        found = read_pickle(write_flame(tmp_path / "f.pkl", PLAIN, protocol=protocol), (*PLAIN, "absent"))
        assert sorted(found) == sorted(PLAIN)
        for name, array in PLAIN.items():
            np.testing.assert_array_equal(found[name], array)


def called(what: Any, text: str) -> Callable[[str], bytes]:
    return lambda mark: pickle.dumps({"f": Calls(what, text.format(mark))})


BOMB = raw(b"}U\x01fcnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR(K\x01",
           b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86cnumpy\ndtype\n(U\x02f8K\x00K\x01tR\x89U\x01atbs")  # fmt: skip
HOSTILE: dict[str, Callable[[str], bytes] | bytes] = {
    "os.system": called(os.system, "touch {}"),
    "eval": called(eval, "open('{}', 'w')"),
    "exec in protocol 0": lambda mark: f"c__builtin__\nexec\n(S'open(\"{mark}\",\"w\")'\ntR.".encode(),
    "a name inside an allowed one": raw(b"cnumpy\ndtype.__init__.__globals__\n"),
    "nested reduce": lambda mark: pickle.dumps([Calls(list, [Calls(os.system, f"touch {mark}")])]),
    "numpy's own loader": b"cnumpy\nload\n(S'/dev/zero'\ntR.",
    "stack global": lambda mark: b"\x80\x04\x8c\x02os\x8c\x06system\x93" + pickle.dumps(f"touch {mark}", 4)[11:-1] + b"\x85R.",
    "instance": b"(ios\nsystem\n.",
    "extension": raw(b"\x82\x01"),
    "persistent": raw(b"Pnowhere\n"),
    "state onto a class": raw(b"cnumpy\ndtype\n}X\x01\x00\x00\x00aK\x01sb"),
    "huge memo": raw(b"Nr\xff\xff\xff\x7f"),
    "array larger than its bytes": BOMB,
    "sparse matrix of a terabyte": raw(b"}U\x01fcscipy.sparse.csc\ncsc_matrix\n)\x81}(U\x06_shapeJ\x3f\x42\x0f\x00J\x3f\x42\x0f\x00\x86",
                                       b"U\x04data](K\x01eU\x07indices](K\x00eU\x06indptr](K\x00K\x01eubs"),
    "deep nesting": raw(b"(" * 100_000, b"t" * 100_000),
    "no dictionary": pickle.dumps([1, 2]),
    "array of objects": pickle.dumps({"f": np.array([None, "x"], object)}),
    "text in an array's place": pickle.dumps({"f": "text"}),
    "nothing": b"",
    "no pickle": b"not a pickle at all",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_and_does_nothing(name: str, tmp_path: Path) -> None:
    made, mark = HOSTILE[name], tmp_path / "mark"
    content = made if isinstance(made, bytes) else made(str(mark))
    with pytest.raises(Refused):
        read_arrays(content, ["f"])
    assert not mark.exists()


@pytest.mark.parametrize("name", ["os.system", "eval", "huge memo"])
def test_the_user_is_told_so_with_an_id(name: str, tmp_path: Path) -> None:
    made, mark = HOSTILE[name], tmp_path / "mark"
    (tmp_path / "model.pkl").write_bytes(made if isinstance(made, bytes) else made(str(mark)))
    with pytest.raises(ModelUntrustedError, match=r"(no|than a) model needs") as refused:
        read_pickle(tmp_path / "model.pkl", ("f",))
    assert (refused.value.id, refused.value.exit_code) == ("MODEL_PICKLE_REFUSED", 21)
    assert not mark.exists()


def test_without_the_allow_list_they_would_have_worked(tmp_path: Path) -> None:
    """That the pickles above are real: Python's own reader runs them."""
    mark = tmp_path / "mark"
    pickle.loads(called(eval, "open('{}', 'w').close()")(str(mark)))
    assert mark.exists()


@pytest.mark.skipif(
    os.name != "posix", reason="Windows limits no process's memory: there the look through the opcodes must do"
)
def test_a_reader_that_eats_memory_is_ended(tmp_path: Path) -> None:
    child = (
        "import sys; sys.path.insert(0, sys.argv.pop()); import unpickle_child as c; c._limit(); bytearray(4 * 2**30)"
    )
    ended = subprocess.run([sys.executable, "-I", "-c", child, str(CHILD.parent)], capture_output=True, text=True)
    assert "MemoryError" in ended.stderr


def test_a_cut_pickle_is_unreadable_and_an_endless_one_over_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = write_flame(tmp_path / "f.pkl", PLAIN).read_bytes()
    (tmp_path / "cut.pkl").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableError):
        read_pickle(tmp_path / "cut.pkl", ("f",))
    monkeypatch.setattr(unpickle, "MAX_BYTES", 100)
    with pytest.raises(LimitError):
        read_pickle(tmp_path / "f.pkl", ("f",))


def test_a_pickle_that_needs_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickle, "_SECONDS", 0.01)
    with pytest.raises(ModelUntrustedError, match="seconds"):
        read_pickle(write_flame(tmp_path / "f.pkl", PLAIN), ("f",))


def test_arrays_that_lie_about_their_size_are_refused(tmp_path: Path) -> None:
    honest = pickle.dumps({"f": np.zeros(4)}, protocol=2)
    (tmp_path / "f.pkl").write_bytes(honest.replace(b"K\x04\x85", b"K\x09\x85"))
    with pytest.raises(ModelUntrustedError, match="32 bytes"):
        read_pickle(tmp_path / "f.pkl", ("f",))

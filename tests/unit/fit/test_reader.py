"""The net in numpy: convolutions are convolutions, and what is shipped is what its bill names."""

import numpy as np
import pytest

from avatar3d.core.errors import ModelUntrustedError
from avatar3d.fit import reader
from avatar3d.fit.reader import SHAPES, answer, load_reader
from tests.unit.fit.test_neutral import points_m, seen, texture

from avatar3d.fit.neutral import lay, neutral_of  # isort: skip


@pytest.mark.parametrize(("size", "stride"), [(5, 2), (3, 2), (3, 1), (1, 1)])
def test_a_convolution_is_the_sum_it_says(size: int, stride: int) -> None:
    rng = np.random.default_rng(size)
    x = rng.normal(size=(8, 6, 2)).astype(np.float32)
    kernel = rng.normal(size=(size, size, 2, 3)).astype(np.float32)
    padded = np.pad(x, ((size // 2, size // 2), (size // 2, size // 2), (0, 0)))
    slowly = [
        [np.einsum("xyc,xycd->d", padded[y : y + size, z : z + size], kernel) for z in range(0, 6, stride)]
        for y in range(0, 8, stride)
    ]
    np.testing.assert_allclose(reader.convolved(x, kernel, stride), slowly, rtol=1e-4, atol=1e-4)


def test_the_shipped_net_answers_with_one_weight_per_shape_and_the_same_twice() -> None:
    still = seen(points_m(), np.eye(3))
    neutral = neutral_of([texture()], [still])
    one, other = (answer(load_reader(), neutral, lay(neutral, texture(), still)) for _ in range(2))
    assert one.shape == (SHAPES,)
    assert np.isfinite(one).all()
    np.testing.assert_array_equal(one, other)


def test_a_changed_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(_: object) -> object:
        class Digest:
            def hexdigest(self) -> str:
                return "0" * 64

        return Digest()

    monkeypatch.setattr(reader, "sha256", changed)
    load_reader.cache_clear()
    with pytest.raises(ModelUntrustedError):
        load_reader()
    load_reader.cache_clear()

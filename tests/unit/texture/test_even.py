"""Stains of light and strands of hair leave the skin; its own spots stay."""

import numpy as np

from avatar3d.render.lights import LUMINANCE
from avatar3d.texture.even import Side, even_out, without_strands

SIZE = 256
FACE = (slice(40, 216), slice(60, 196))


def side(ratio: np.ndarray, drawn: np.ndarray | None = None) -> Side:
    weight = np.zeros((SIZE, SIZE), np.float32)
    weight[FACE] = 1
    nothing = np.zeros_like(weight)
    return Side(ratio.astype(np.float32), weight, nothing if drawn is None else drawn, nothing)


def skin() -> np.ndarray:
    return np.zeros((SIZE, SIZE, 3), np.float32)


def test_both_sides_of_a_face_get_the_same_hue() -> None:
    flushed = skin()
    flushed[:, 128:] = [0.06, -0.02, -0.04]
    own, opposite = even_out(side(flushed), side(flushed[:, ::-1].copy()), bearded=False)
    before, after = (np.abs(ratio[128, 90] - ratio[128, 165]).max() for ratio in (flushed, own))
    assert after < 0.5 * before
    np.testing.assert_allclose(own, opposite[:, ::-1], atol=1e-3)


def test_a_side_in_deep_shade_shows_no_edge_where_the_other_side_is_seen_no_more() -> None:
    shaded = skin()
    shaded[:, :120] = -1.2
    opposite = side(shaded[:, ::-1].copy())
    opposite.weight[:, :96] = 0  # turned away, the other cheek ends earlier
    own, _ = even_out(side(shaded), opposite, bearded=False)
    change = (own - shaded)[128, 64:110] @ LUMINANCE
    assert np.abs(np.diff(change)).max() < 0.05


def test_a_stain_in_the_midst_of_a_cheek_keeps_its_shade_rather_than_its_hue() -> None:
    stained = skin()
    stained[90:170, 80:120] = [0.25, -0.1, -0.45]
    both = side(stained)
    hue = [ratio - (ratio @ LUMINANCE)[..., None] for ratio in (stained, even_out(both, both, bearded=False)[0])]
    before, after = (np.abs(each[130, 100]).max() for each in hue)
    assert after < 0.5 * before


def test_a_mole_on_one_cheek_is_not_shared_with_the_other() -> None:
    spotted = skin()
    spotted[120:124, 90:94] = -0.8
    own, opposite = even_out(side(spotted), side(spotted[:, ::-1].copy()), bearded=False)
    assert own[121, 91].max() < -0.7
    assert np.abs(opposite[121, 91]).max() < 0.05


def test_a_stained_rim_follows_the_skin_inside_and_less_so_on_a_bearded_face() -> None:
    stained = skin()
    stained[:, 60:72] = stained[:, 184:196] = [-0.15, -0.35, -0.5]
    smooth, bearded = (even_out(side(stained), side(stained), bearded=beard)[0] for beard in (False, True))
    stain = np.abs(stained[128, 64]).max()
    assert np.abs(smooth[128, 62]).max() < 0.7 * stain
    assert np.abs(smooth[128, 62]).max() < np.abs(bearded[128, 62]).max() < stain
    assert np.abs(smooth[128, 128]).max() < 0.01


def test_the_edge_of_what_is_seen_keeps_its_shade_and_none_of_a_coloured_bounce() -> None:
    stained = skin()
    stained[:, 60:66] = stained[:, 190:196] = [0.0, -0.2, -0.6]
    dark, smooth = stained @ LUMINANCE, even_out(side(stained), side(stained), bearded=False)[0]
    hue = smooth - (smooth @ LUMINANCE)[..., None]
    assert np.abs(hue[128, 61:63]).max() < 0.1
    assert (smooth @ LUMINANCE)[128, 61] < 0.8 * dark[128, 61]


def test_an_open_mouth_has_no_rim() -> None:
    lips = skin()
    lips[100:150, 110:146] = [0.2, -0.5, -0.3]
    drawn = np.zeros((SIZE, SIZE), np.float32)
    drawn[100:150, 110:146] = 1
    mouth = side(lips, drawn)
    mouth.weight[110:140, 115:141] = 0
    evened = even_out(mouth, mouth, bearded=False)[0]
    np.testing.assert_allclose(evened[102:108, 112:140], lips[102:108, 112:140], atol=0.1)


def test_nothing_is_painted_where_nothing_was_seen() -> None:
    stained = skin()
    stained[FACE] = [-0.3, -0.6, -0.8]
    own, _ = even_out(side(stained), side(stained), bearded=False)
    assert (own[side(stained).weight == 0] == 0).all()


def test_a_dark_strand_at_the_rim_is_no_skin_while_brows_and_dark_spots_inside_are() -> None:
    hairy = skin()
    hairy[60:200, 64:70] = -2  # a strand
    hairy[100:108, 120:126] = -2  # a birthmark
    hairy[70:76, 62:90] = -2  # a brow that reaches the rim
    brow = np.zeros((SIZE, SIZE), np.float32)
    brow[68:78, 60:92] = 1
    kept = without_strands(side(hairy, brow))
    assert kept[120:180, 66].max() < 0.2
    assert kept[104, 123] > 0.95
    assert kept[72, 66] > 0.95
    assert without_strands(side(skin())).min() > 0.99

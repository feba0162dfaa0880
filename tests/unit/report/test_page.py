import numpy as np

from avatar3d.report.page import Figure, Section, write_page


def test_a_hostile_name_stays_text() -> None:
    page = write_page("</title><script>alert(1)</script>", ["<b>bold</b>"], [Section('"><img src=x onerror=y>')])
    assert "<script" not in page
    assert "<b>" not in page
    assert "<img src=x" not in page


def test_the_page_fetches_nothing() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    page = write_page("anna", [], [Section("Pictures", [Figure("front", picture)], [("size", "1")])])
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")
    assert 'src="data:image/jpeg;base64,' in page
    assert 'alt="front"' in page

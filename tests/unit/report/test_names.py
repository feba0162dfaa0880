from avatar3d.report.names import distinct_names, safe_name


def test_a_name_cannot_leave_its_folder() -> None:
    for hostile in ("../../etc/passwd", "..", "/root", "C:\\x", "a/b", "a\0b", "con", "NUL.txt", "", "---", "‮gpj.exe"):
        name = safe_name(hostile)
        assert name
        assert not set(name) & set('/\\:\0‮*?"<>|')
        assert not name.startswith(".")
        assert name.split(".")[0].lower() not in {"con", "nul"}


def test_a_name_in_any_script_survives() -> None:
    assert safe_name("Søren 太郎") == "Søren-太郎"


def test_a_long_name_is_shortened() -> None:
    assert len(safe_name("x" * 400)) == 80


def test_two_photos_of_one_name_never_collide() -> None:
    assert distinct_names(["anna", "Anna", "anna-2", "anna"]) == ["anna", "Anna-2", "anna-2-2", "anna-3"]

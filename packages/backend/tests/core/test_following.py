"""What has ended is not followed again."""

from rejoinder.core.following import ENDED_KEPT, Following


def test_an_entry_is_followed_until_it_ends() -> None:
    following: Following[str] = Following()
    following.begin("a", "first")
    following.begin("a", "second")
    following.begin("b", "other")
    assert (following.get("a"), following.values()) == ("first", ["first", "other"])
    for key in following:
        following.end(key)
    assert following.values() == []
    assert "a" not in following


def test_what_has_ended_stays_out() -> None:
    following: Following[str] = Following()
    following.end("a")
    following.begin("a", "read before the end")
    assert following.get("a") is None


def test_a_bounded_number_of_ends_is_kept() -> None:
    following: Following[str] = Following()
    for number in range(ENDED_KEPT + 1):
        following.end(f"{number}")
    following.begin("0", "long ago")
    following.begin("1", "known")
    assert following.values() == ["long ago"]

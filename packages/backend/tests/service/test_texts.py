"""The server speaks to people in the first of their languages that it knows."""

import pytest

from rejoinder.service.texts import REPLACED, locale_of


@pytest.mark.parametrize(
    ("wanted", "locale"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("KO-kr", "ko"),
        ("en-GB,ko;q=0.9", "en"),
        ("fr-FR, ko;q=0.8, en;q=0.7", "ko"),
        ("en;q=0.2, ko;q=0.3", "ko"),
        ("ko;q=0, en", "en"),
        ("ko;q=0", "en"),
        ("*", "en"),
        ("fr", "en"),
        ("ko;q=nonsense, en;q=0.1", "en"),
        (",;,=;q=", "en"),
        ("ko;q=0.5;level=1,en;q=0.1", "en"),
        ("xx," * 10_000 + "ko", "en"),
    ],
)
def test_the_first_language_that_is_spoken(wanted: str, locale: str) -> None:
    assert locale_of(wanted) == locale


def test_the_default_is_a_setting() -> None:
    assert locale_of("fr", "ko") == "ko"
    assert locale_of("en", "ko") == "en"


def test_both_texts_say_that_another_device_signed_in() -> None:
    assert set(REPLACED) == {"en", "ko"}
    assert "another device" in REPLACED["en"]
    assert "다른 기기에서 로그인" in REPLACED["ko"]
    assert "종료" in REPLACED["ko"]

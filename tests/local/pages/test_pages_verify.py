"""What the second reading of the built site finds."""

from pathlib import Path

import pytest

from local.pages.verify import faults


def site(folder: Path, body: str, style: str = "") -> Path:
    (folder / "sub").mkdir()
    (folder / "index.html").write_text(f'<html><body id="top">{body}</body></html>')
    (folder / "sub" / "page.html").write_text('<h2 id="part">Part</h2><a href="../index.html#top">up</a>')
    (folder / "style.css").write_text(style)
    return folder


@pytest.mark.parametrize(
    "body",
    [
        '<a href="sub/page.html#part">in</a>',
        '<a href="#top">here</a>',
        '<a href="https://learn.microsoft.com/">out, if somebody clicks</a>',
        '<a href="mailto:a@b.example">mail</a>',
        '<link rel="stylesheet" href="style.css?v=1">',
        '<a href="/sub/page.html">from the root</a>',
    ],
)
def test_a_sound_page_has_no_fault(tmp_path: Path, body: str) -> None:
    assert faults(site(tmp_path, body)) == ()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('<script src="https://cdn.example/x.js"></script>', "loads https://cdn.example/x.js from elsewhere."),
        ('<img src="//cdn.example/x.png">', "loads //cdn.example/x.png from elsewhere."),
        ('<link rel="stylesheet" href="gone.css">', "loads gone.css, which is not there."),
        ('<a href="gone.html">x</a>', "the link gone.html leads to nothing."),
        ('<a href="sub/page.html#gone">x</a>', "the link sub/page.html#gone leads to a heading that is not there."),
        ('<a href="#gone">x</a>', "the link #gone leads to a heading that is not there."),
        ('<a href="sub">x</a>', "the link sub leads to nothing."),
    ],
)
def test_a_fault_is_a_sentence(tmp_path: Path, body: str, sentence: str) -> None:
    (fault,) = faults(site(tmp_path, body))

    assert fault.startswith("index.html")
    assert fault.endswith(sentence)


def test_a_style_may_not_fetch_from_elsewhere(tmp_path: Path) -> None:
    (fault,) = faults(site(tmp_path, "", style="@font-face { src: url('https://fonts.example/x.woff2'); }"))

    assert fault == "style.css fetches https://fonts.example/x.woff2 from elsewhere."


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path) == (f"{tmp_path} holds no page.",)

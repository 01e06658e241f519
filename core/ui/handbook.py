"""The Help page: the project's own documentation, with its pictures, without the internet."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from core.settings import ROOT
from core.ui.feedback import empty

DOCS = ROOT / "docs"
FIRST = ("tutorial", "glossary")  # in the list of documents; the others follow by title
_PICTURE = re.compile(r"^!\[([^\]]*)\]\(([^)\s]+)\)\s*$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:|/|#)([\w./-]+?)\.md(?:#[\w-]*)?\)")
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


def titles(folder: Path = DOCS) -> dict[str, str]:
    """Titles of the documents by the name in the address: FIRST, then by title, decisions last."""
    documents = {
        path.relative_to(folder).with_suffix("").as_posix(): _title(path) for path in folder.rglob("*.md")
    }
    return dict(sorted(documents.items(), key=lambda item: _place(*item)))


def draw() -> None:
    """Draw the choice of a document, and the one that is chosen."""
    known = titles()
    if not known:
        empty("The documentation is not here", "It is the folder docs of the program.")
        return
    asked_for = st.query_params.get("document", "")
    names = list(known)
    name = st.selectbox(
        "Document",
        names,
        index=names.index(asked_for) if asked_for in known else 0,
        format_func=known.__getitem__,
        width=420,
    )
    st.query_params["document"] = name
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    for kind, value, about in parts(text, name):
        if kind == "text":
            st.markdown(value)
        else:
            st.image(DOCS / Path(name).parent / value, caption=about, alt=about, width="content")


def parts(text: str, name: str) -> list[tuple[str, str, str]]:
    """A document as pieces in order: “text” and its Markdown, or “picture”, its path and the words below.

    Links to other documents lead to the Help page.
    """
    linked = _LINK.sub(lambda link: f"](help?document={_target(name, link[1])})", text)
    pieces: list[tuple[str, str, str]] = []
    place = 0
    for picture in _PICTURE.finditer(linked):
        pieces.append(("text", linked[place : picture.start()], ""))
        pieces.append(("picture", picture[2], picture[1]))
        place = picture.end()
    return [piece for piece in (*pieces, ("text", linked[place:], "")) if piece[1].strip()]


def _target(name: str, link: str) -> str:
    steps: list[str] = []
    for step in (Path(name).parent / link).parts:
        steps = steps[:-1] if step == ".." else [*steps, step]
    return "/".join(steps)


def _title(path: Path) -> str:
    heading = _HEADING.search(path.read_text(encoding="utf-8"))
    return heading[1] if heading else path.stem


def _place(name: str, title: str) -> tuple[int, str]:
    if name in FIRST:
        return FIRST.index(name), ""
    if name.startswith("decisions/"):
        return len(FIRST) + 1, name
    return len(FIRST), title.lower()

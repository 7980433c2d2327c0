import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = re.compile(
    r"^( *)(`{3,}|~{3,}).*?^\1\2[^\n]*$|(?<!`)(`+)(?!`)[^\n]*?(?<!`)\3(?!`)", re.MULTILINE | re.DOTALL
)
FENCED: Final = re.compile(r"^( *)(`{3,}|~{3,}).*?^\1\2[^\n]*$", re.MULTILINE | re.DOTALL)
HEADING: Final = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
LINK: Final = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
CITED: Final = re.compile(r'\bdocs/[\w./-]*\w(?:, ((?:and )?"[^"\n]+"(?:(?:,| and) "[^"\n]+")*))?')


def pages() -> list[Path]:
    """The project's own Markdown: what git holds, or would with the next `git add .`."""
    asked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if asked.returncode != 0:
        pytest.skip("this is no git checkout")
    return [path for name in asked.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def headings(page: Path) -> list[str]:
    return HEADING.findall(FENCED.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them: a repeated one gets a number."""
    found: set[str] = set()
    times: Counter[str] = Counter()
    for heading in headings(page):
        spoken = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", spoken.lower()).replace(" ", "-")
        found.add(f"{slug}-{times[slug]}" if times[slug] else slug)
        times[slug] += 1
    return found


def broken_links(page: Path) -> list[str]:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = [inline or reference for inline, reference in LINK.findall(text)]
    return [target for target in targets if not re.match(r"[a-z][a-z0-9+.-]*:|//", target) and not leads(page, target)]


def leads(page: Path, target: str) -> bool:
    """Whether a relative link leads to a file or folder of the project and, where it names one, to an anchor there."""
    name, _, anchor = unquote(target).partition("#")
    there = (page.parent / name).resolve() if name else page
    return there.exists() and (not anchor or (there.suffix == ".md" and anchor in anchors(there)))


def broken_citations(code: str) -> list[str]:
    """Pages that are cited and not there, and chapters of them; `docs/page.md, "One" and "Two"` cites two chapters."""
    broken = []
    for citation in CITED.finditer(code):
        name = citation[0].partition(",")[0]
        page = ROOT / name
        chapters = re.findall(r'"([^"]+)"', citation[1] or "")
        if not page.exists():
            broken.append(name)
        elif page.suffix == ".md":
            broken += [f'{name}, "{chapter}"' for chapter in chapters if chapter not in headings(page)]
    return broken


def test_every_relative_link_leads_somewhere() -> None:
    found = {str(page.relative_to(ROOT)): broken for page in pages() if (broken := broken_links(page))}

    assert found == {}


def test_every_page_that_code_cites_is_there() -> None:
    files = [path for room in ("src", "tests", "benchmarks") for path in sorted((ROOT / room).rglob("*.py"))]

    cited = {
        str(path.relative_to(ROOT)): broken
        for path in files
        if path != Path(__file__).resolve()  # it cites what isn't there, on purpose
        if (broken := broken_citations(path.read_text(encoding="utf-8")))
    }

    assert cited == {}


@pytest.mark.parametrize(
    "link",
    [
        "[a file](nowhere.md)",
        "[an anchor here](#nowhere)",
        "[an anchor there](other.md#nowhere)",
        "[a second of one](other.md#paging-2)",
        "![a picture](nowhere.png)",
        "[by reference][it]\n\n[it]: nowhere.md",
    ],
)
def test_a_broken_link_is_found(tmp_path: Path, link: str) -> None:
    (tmp_path / "other.md").write_text("# Paging\n\n```\n# nowhere\n```\n\n## Paging\n")
    page = tmp_path / "page.md"
    page.write_text(f"# What can't be seen\n\n{link}\n")

    assert broken_links(page) != []


@pytest.mark.parametrize(
    "link",
    [
        "[a file](other.md)",
        "[a folder](./)",
        "[an anchor here](#what-cant-be-seen)",
        "[a second of one](other.md#paging-1)",
        "[the outside](https://example.com/nowhere.md)",
        "`[code](nowhere.md)`",
        "```\n[code](nowhere.md)\n```",
    ],
)
def test_a_good_link_is_left_alone(tmp_path: Path, link: str) -> None:
    (tmp_path / "other.md").write_text("# Paging\n\n## Paging\n")
    page = tmp_path / "page.md"
    page.write_text(f"# What can't be seen\n\n{link}\n")

    assert broken_links(page) == []


@pytest.mark.parametrize(
    ("code", "broken"),
    [
        ("# see docs/nowhere.md", ["docs/nowhere.md"]),
        ('# docs/vendors/hologram.md, "Paging"', []),
        ('# docs/vendors/hologram.md, "Paging" and "Nowhere".', ['docs/vendors/hologram.md, "Nowhere"']),
        ('# docs/vendors/hologram.md, "Nowhere", "Ends"', ['docs/vendors/hologram.md, "Nowhere"']),
    ],
)
def test_a_citation_is_followed_to_its_chapter(code: str, broken: list[str]) -> None:
    found = broken_citations(code)

    assert found == broken

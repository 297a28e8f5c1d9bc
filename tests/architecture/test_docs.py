"""What the documentation shows is what the program does, and its links lead somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.console import blocks, files, matches, run, steps, write_files
from tools.readme_session import BEGIN, END, rewritten

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")))
)
COMMANDS = (
    *("demo", "create", "keyobject", "sign", "approve", "check", "inspect"),
    *("mac", "seal", "manifest", "bundle", "certs", "render", "template", "token"),
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def _dead_links(page: Path) -> Iterator[str]:
    for match in LINK.finditer(CODE.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = match["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = (page.parent / target) if target else page
        if not path.exists() or (anchor and anchor not in _anchors(path)):
            yield match["target"]


def _anchors(page: Path) -> set[str]:
    headings = re.findall(
        r"^#+ (.+)$", CODE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _srsign(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("srsign")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the demo ran once."""
    folder = tmp_path_factory.mktemp("docs")
    program = Path(sys.executable).with_name("srsign")
    subprocess.run([program, "demo"], cwd=folder, capture_output=True, check=True)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_resolve(page: str) -> None:
    """Every relative link leads to a file, and to a heading where it names one."""
    assert not list(_dead_links(ROOT / page))


@pytest.mark.parametrize("page", PAGES)
def test_shown_sessions_run(
    page: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every session tagged for running prints what the page shows and exits as it says."""
    text = (ROOT / page).read_text("utf-8")
    sessions = [steps(block) for block in blocks(text, "console runs")]
    if not sessions:
        return
    folder = tmp_path_factory.mktemp("page")
    if not any(step.command.startswith("srsign demo") for step in sessions[0]):
        shutil.copytree(request.getfixturevalue("demonstrated"), folder, dirs_exist_ok=True)
    write_files(text, folder)
    for session in sessions:
        told = [*(step.command for step in session[1:]), ""]
        for ran, following in zip(run(session, folder), told, strict=True):
            shown = "\n".join([f"$ {ran.step.command}", *ran.output])
            assert matches(ran.step.expected, ran.output), shown
            assert ran.exit_code == 0 or following == "echo $?", shown


def test_readme_shows_a_session() -> None:
    """README has one real terminal session, between its two marks."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    session = readme.split(BEGIN)[1].split(END)[0]
    (block,) = blocks(session, "console runs")
    commands = re.findall(r"srsign (\w+)", " ".join(step.command for step in steps(block)))
    assert {"demo", "check"} <= set(commands)


def test_help_lists_the_commands() -> None:
    """``srsign --help`` lists the commands of the public contract that exist."""
    listed = set(re.findall(r"^\W*([a-z]+)\s{2,}", _srsign("--help").stdout, re.MULTILINE))
    assert listed >= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """Each command has a help text and exits 0 when asked for it."""
    run = _srsign(command, "--help")
    assert run.returncode == 0
    assert len(run.stdout.splitlines()) > 5


def test_readme_names_every_command() -> None:
    """README mentions each command once at least."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [command for command in COMMANDS if f"srsign {command}" not in readme]


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    """A link to no file and a link to no heading are both found, those in code are not."""
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](none.md) [b](#one-two) [c](#three) `[d](x.md)`\n", "utf-8")
    assert list(_dead_links(page)) == ["none.md", "#three"]


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ("one\n…\nfour", "one\ntwo\nthree\nfour"),
        ("at 2026-11-20T09:00:00Z", "at 2027-01-01T10:11:12Z"),
        ("UID 1.2.826.0.1.3680043.8", "UID 2.25.1.2.3.4.5.6"),
        ("done in 3.2 s", "done in 11.0 s"),
        ("a  b", "a b"),
    ],
)
def test_what_may_differ(shown: str, real: str) -> None:
    """Elided lines, times, UIDs, durations and column widths may differ."""
    assert matches(tuple(shown.splitlines()), tuple(real.splitlines()))


@pytest.mark.parametrize(
    ("shown", "real"),
    [("PASSED", "FAILED"), ("one", "one\ntwo"), ("one\ntwo", "one"), ("3 matched", "2 matched")],
)
def test_what_may_not_differ(shown: str, real: str) -> None:
    """Words, counts and lines may not differ."""
    assert not matches(tuple(shown.splitlines()), tuple(real.splitlines()))


def test_a_session_is_read_and_run(tmp_path: Path) -> None:
    """Commands, continued lines, output and exit codes are told apart."""
    session = steps("$ echo one \\\n    two\none two\n$ (exit 13)\n$ echo $?\n13\n")
    ran = list(run(session, tmp_path))
    assert [step.exit_code for step in ran] == [0, 13, 0]
    assert all(matches(step.step.expected, step.output) for step in ran)


def test_files_of_a_page_are_written(tmp_path: Path) -> None:
    """A block that names a file is that file; one that leaves the folder is refused."""
    page = "```toml file=a/b.toml\nx = 1\n```\n```toml\nx = 2\n```\n"
    write_files(page, tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.toml")] == [
        "a/b.toml"
    ]
    assert (tmp_path / "a" / "b.toml").read_text(encoding="utf-8") == "x = 1\n"
    assert not list(files("```console runs\n$ echo file=x\n```\n"))
    with pytest.raises(ValueError, match="folder"):
        write_files("```toml file=../x\n```\n", tmp_path)


def test_a_session_is_rewritten_in_place(tmp_path: Path) -> None:
    """Old output is replaced by real output, the commands and the text around them stay."""
    old = f"before\n{BEGIN}\n\n```console runs\n$ echo new\nold\n```\n\n{END}\nafter\n"
    assert rewritten(old, tmp_path) == old.replace("\nold\n", "\nnew\n")

"""The house rules that a reader would otherwise have to police by eye (README, 'How it is written')."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINES_MAX = 500
FUNCTION_LINES_MAX = 70
# Where money and volume live: integers only, whatever the interpreter's float width (SEMANTICS A1).
INTEGER_ROOMS = ("protocol/", "firmware/", "headend/ledger/", "headend/billing/")
# Host-side scripts in those rooms, where `/` joins paths.
HOST_SIDE = ("firmware/build.py", "firmware/image/", "protocol/vectors/generate.py")
PROMISED = (
    *("CT-01", "CT-02", "CT-04", "CT-05", "CT-06", "CT-07", "CT-08", "CT-09", "CT-10", "CT-12", "CT-15", "CT-19"),
    *("CT-29", "CT-31"),
    *("CT-22", "CT-26", "IW-15", "IW-71", "TR-27", "FEATURES B1", "FEATURES B2", "FEATURES B4", "FEATURES B5"),
    *("FEATURES B7", "FEATURES B9", "FEATURES B10", "IW-23", "IW-35", "IW-83", "CT-33"),
    *(f"I{number}" for number in range(1, 26)),
)


def tracked(*suffixes: str) -> list[Path]:
    """Files git knows below the root with one of these suffixes."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in names if name.endswith(suffixes) and (ROOT / name).is_file()]


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    long = {relative(p): n for p in tracked(".py") if (n := len(p.read_text().splitlines())) > LINES_MAX}
    assert long == {}


def test_functions_fit_a_screen() -> None:
    long = {
        f"{relative(path)}:{node.name}": size
        for path in tracked(".py")
        for node in functions(path)
        if (size := (node.end_lineno or 0) - node.lineno) > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_money_and_volume_know_no_float() -> None:
    found = []
    for path in tracked(".py"):
        if not relative(path).startswith(INTEGER_ROOMS) or relative(path).startswith(HOST_SIDE):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
            if is_float or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
                found.append(f"{relative(path)}:{node.lineno}")
    assert found == []


def test_nothing_is_left_undone_or_skipped() -> None:
    marks = re.compile(
        r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|pytest\.(?:mark\.)?(?:sk" r"ip|xf" r"ail)|unittest\.sk" r"ip"
    )
    found = [
        f"{relative(p)}:{i}"
        for p in tracked(".py")
        for i, line in enumerate(p.read_text().splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_no_download_address_and_no_path_of_a_machine() -> None:
    wrong = re.compile(
        r"https?://\S+?(?:\.whl|\.tgz|\.tar\.[gx]z|\.deb|/sim" r"ple)\b|/ho" r"me/|/ro" r"ot/|/wo" r"rk/"
    )
    found = [
        relative(p) for p in tracked(".py", ".md", ".toml", ".txt", ".in", "Makefile") if wrong.search(p.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "folder",
    ["protocol", "firmware", "headend", "fieldtool", "simulator", "bench", "guelta", "hil_tests", "tests", "locks"],
)
def test_each_folder_says_what_it_owns(folder: str) -> None:
    assert (ROOT / folder / "README.md").is_file()


@pytest.mark.parametrize("capability", PROMISED)
def test_each_promised_capability_is_named_by_a_test(capability: str) -> None:
    named = re.compile(rf"\b{capability}\b")
    tests = [p for p in tracked(".py") if relative(p).startswith(("tests/", "hil_tests/")) and p.name != "test_tidy.py"]
    assert any(named.search(p.read_text()) for p in tests), f"no test names {capability}"

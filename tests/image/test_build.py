"""What is built again and what is not, what a missing compiler is answered with, and that places leave no trace."""

import os
import subprocess
from pathlib import Path

import pytest

from firmware.image import build as toolchain
from firmware.image.build import MICROPYTHON, MPY_CROSS, PRODUCTS, UPDATE, build, need_tools
from firmware.image.sources import FirmwareFailed

MAKEFILE = "all:\n\techo $(CFLAGS_EXTRA) >> $(BUILD)/micropython\n\t[ -z '$(FAILS)' ]\n"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str = "exit 0") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree whose interpreter is a file that tells how it was made, and a compiler that only has a name: the
    fast half needs none. Returns the folder of our C modules."""
    program(tmp_path, "gcc", "echo gcc 1")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    unix = tmp_path / "tree" / "ports" / "unix"
    unix.mkdir(parents=True)
    (unix / "Makefile").write_text(MAKEFILE)
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "a.c").write_text("one")
    monkeypatch.setattr(toolchain, "trees", lambda *_: dict.fromkeys(("micropython", "mbedtls"), tmp_path / "tree"))
    monkeypatch.setattr(toolchain, "C_MODULES", modules)
    monkeypatch.setattr(toolchain, "need_tools", lambda products: None)
    return modules


def made_again(folder: Path) -> bool:
    heard: list[tuple[str, bool]] = []
    build(folder, (MICROPYTHON,), say=lambda product, made: heard.append((product, made)))
    assert [product for product, _ in heard] == [MICROPYTHON]
    return heard[0][1]


def test_only_what_has_changed_is_built_again(small: Path, tmp_path: Path) -> None:
    assert made_again(tmp_path / "out")
    assert not made_again(tmp_path / "out")
    (small / "a.c").write_text("two")
    assert made_again(tmp_path / "out")
    (small / "__pycache__").mkdir()
    (small / "__pycache__" / "a.pyc").write_text("no source")
    assert not made_again(tmp_path / "out")
    (tmp_path / "out" / MICROPYTHON).unlink()
    assert made_again(tmp_path / "out")


def test_what_a_product_leaves_beside_it_is_missed_when_it_is_gone(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the update that is linked with the image."""
    recipe = toolchain._recipe
    monkeypatch.setattr(toolchain, "_recipe", lambda *asked: recipe(*asked)._replace(also=("beside",)))
    makefile = tmp_path / "tree" / "ports" / "unix" / "Makefile"
    makefile.write_text(MAKEFILE + "\tcp Makefile $(BUILD)/beside\n")
    assert made_again(tmp_path / "out")
    assert not made_again(tmp_path / "out")
    (tmp_path / "out" / "beside").unlink()
    assert made_again(tmp_path / "out")
    assert (tmp_path / "out" / "beside").read_text() == makefile.read_text()


def test_other_pins_or_another_compiler_are_a_change(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert made_again(tmp_path / "out")
    monkeypatch.setattr(toolchain, "ARCHIVES", toolchain.ARCHIVES[:1])
    assert made_again(tmp_path / "out")
    program(tmp_path, "gcc", "echo gcc 99")
    assert made_again(tmp_path / "out")
    assert not made_again(tmp_path / "out")


def test_a_copied_folder_is_up_to_date_elsewhere(small: Path, tmp_path: Path) -> None:
    assert made_again(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    assert not made_again(tmp_path / "elsewhere")


def test_flags_of_whoever_calls_do_not_get_in(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAKEFLAGS", "CFLAGS_EXTRA", "CFLAGS"):
        monkeypatch.setenv(name, "FAILS=1" if name == "MAKEFLAGS" else "-DWRONG")
    assert made_again(tmp_path / "out")
    assert "WRONG" not in (tmp_path / "out" / MICROPYTHON).read_text()


def test_a_build_that_fails_leaves_nothing_that_looks_built(small: Path, tmp_path: Path) -> None:
    assert made_again(tmp_path / "out")
    makefile = tmp_path / "tree" / "ports" / "unix" / "Makefile"
    makefile.write_text(MAKEFILE.replace("'$(FAILS)'", "no"))
    (small / "a.c").write_text("broken")
    with pytest.raises(FirmwareFailed, match=r"micropython does not build\. The end of .*micropython\.log:\n"):
        made_again(tmp_path / "out")
    makefile.write_text(MAKEFILE)
    assert made_again(tmp_path / "out")


def test_all_that_is_missing_is_named_in_one_command(tools: Path) -> None:
    with pytest.raises(FirmwareFailed) as refused:
        need_tools(PRODUCTS)
    assert str(refused.value).endswith(
        "sudo apt-get install -y --no-install-recommends make gcc gcc-arm-none-eabi libc6-dev libnewlib-arm-none-eabi"
    )


def test_a_compiler_without_its_library_is_not_enough(tools: Path) -> None:
    program(tools, "make")
    program(tools, "gcc", "echo /usr/lib/libm.so")
    program(tools, "arm-none-eabi-gcc", "echo nano.specs")
    with pytest.raises(FirmwareFailed, match=r"--no-install-recommends libnewlib-arm-none-eabi$"):
        need_tools(PRODUCTS)


def test_the_interpreter_alone_needs_no_compiler_for_the_image(tools: Path) -> None:
    program(tools, "make")
    program(tools, "gcc", "echo /usr/lib/libm.so")
    need_tools((MICROPYTHON, MPY_CROSS))
    program(tools, "arm-none-eabi-gcc", "echo /usr/lib/nano.specs")
    need_tools(PRODUCTS)


def test_make_firmware_without_the_means_ends_with_the_command_to_type(tools: Path, tmp_path: Path) -> None:
    """The Makefile's own check, as an ordinary user without sudo: nothing is left out in silence."""
    for name in ("make", "bash", "gcc"):
        found = next(Path(at, name) for at in ("/usr/bin", "/bin") if Path(at, name).is_file())
        (tools / name).symlink_to(found)
    program(tools, "apt-get", "exit 9")
    program(tools, "id", "echo 1000")
    command = ["make", "-s", "-C", str(toolchain.ROOT), "toolchain"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": str(tools)})
    assert done.returncode
    assert "Install with: sudo apt-get install -y --no-install-recommends" in done.stderr
    assert "gcc-arm-none-eabi qemu-system-arm" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_builds_from_two_places_compare_equal(tmp_path: Path) -> None:
    """The interpreter and both images, bit for bit, with everything that a debugger would read taken off."""
    built = build()
    (tmp_path / "archives").symlink_to(toolchain.FOLDER / "archives")
    again = build(tmp_path)
    for product, path in again.items():
        stripped = [bare(path, tmp_path / f"{product}.a"), bare(built[product], tmp_path / f"{product}.b")]
        assert stripped[0] == stripped[1], product
        assert not any(str(place).encode() in stripped[0] for place in (tmp_path, toolchain.ROOT))
    assert (tmp_path / UPDATE).read_bytes() == (toolchain.FOLDER / UPDATE).read_bytes()


def bare(product: Path, target: Path) -> bytes:
    """The product without symbols and debugging: what runs."""
    tool = "arm-none-eabi-objcopy" if product.suffix == ".elf" else "objcopy"
    subprocess.run([tool, "--strip-all", str(product), str(target)], check=True)
    return target.read_bytes()

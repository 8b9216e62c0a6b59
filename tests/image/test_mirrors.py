"""Debian mirrors are found in both of apt's formats; other archives, switched-off sources and other systems are not."""

from pathlib import Path

import pytest

from firmware.image.mirrors import Source, debian_mirrors, one_line, stanzas

DEBIAN_12 = 'ID=debian\nVERSION_CODENAME=bookworm\nNAME="Debian GNU/Linux"\n'

ONE_LINE = """
# deb http://commented.example/debian bookworm main
deb http://security.example/debian-security bookworm-security main
deb [arch=amd64 signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example/apt nodistro main
deb [ trusted=yes ] http://mirror.example/debian/ bookworm main contrib # the nearest
deb-src http://mirror.example/debian bookworm main
deb cdrom:[Debian]/ bookworm main
deb https://second.example/debian bookworm-updates main
"""

STANZAS = """# Debian
Types: deb deb-src
# an old one: http://old.example/debian
URIs: http://mirror.example/debian
      https://second.example/debian
Suites: bookworm
 bookworm-updates
Components: main contrib

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""


def machine(folder: Path, release: str = DEBIAN_12, **files: str) -> tuple[Path, Path]:
    """A made-up /etc/apt and /etc/os-release; `list_NAME` and `sources_NAME` are files of sources.list.d."""
    (folder / "apt" / "sources.list.d").mkdir(parents=True)
    (folder / "release").write_text(release)
    for name, text in files.items():
        kind, _, stem = name.partition("_")
        (folder / "apt" / "sources.list.d" / f"{stem}.{kind}").write_text(text)
    return folder / "apt", folder / "release"


def test_one_line_sources_with_options_and_comments() -> None:
    found = list(one_line(ONE_LINE))
    assert Source("http://mirror.example/debian/", ("bookworm",), ("main", "contrib")) in found
    assert not any("commented" in source.uri for source in found)


def test_stanzas_with_several_lines_comments_and_a_switched_off_one() -> None:
    assert list(stanzas(STANZAS)) == [
        Source("http://mirror.example/debian", ("bookworm", "bookworm-updates"), ("main", "contrib")),
        Source("https://second.example/debian", ("bookworm", "bookworm-updates"), ("main", "contrib")),
        Source("http://security.example/debian-security", ("bookworm-security",), ("main",)),
    ]


@pytest.mark.parametrize("files", [{"list_debian": ONE_LINE}, {"sources_debian": STANZAS}])
def test_both_formats_name_the_same_mirrors_in_apts_order(tmp_path: Path, files: dict[str, str]) -> None:
    found = debian_mirrors(*machine(tmp_path, **files))
    assert found == ["http://mirror.example/debian", "https://second.example/debian"]


def test_sources_list_itself_comes_first_and_a_file_that_is_set_aside_is_not_read(tmp_path: Path) -> None:
    apt, release = machine(tmp_path, list_a="deb http://late.example/debian bookworm main")
    (apt / "sources.list").write_text("deb http://early.example/debian bookworm main")
    (apt / "sources.list.d" / "b.list.save").write_text("deb http://aside.example/debian bookworm main")
    assert debian_mirrors(apt, release) == ["http://early.example/debian", "http://late.example/debian"]


def test_a_list_of_mirrors_in_a_file_is_followed(tmp_path: Path) -> None:
    listed = tmp_path / "mirrors"
    listed.write_text("# nearest first\nhttps://cloud.example/debian priority:1\n")
    stanza = f"Types: deb\nURIs: mirror+file://{listed}\nSuites: bookworm\nComponents: main\n"
    assert debian_mirrors(*machine(tmp_path, sources_cloud=stanza)) == ["https://cloud.example/debian"]


def test_another_system_has_no_debian_mirror(tmp_path: Path) -> None:
    ubuntu = 'ID=ubuntu\nVERSION_CODENAME="noble"\n'
    text = "deb http://other.example/ubuntu noble main universe"
    assert debian_mirrors(*machine(tmp_path, release=ubuntu, list_ubuntu=text)) == []


def test_a_machine_without_apt_has_none(tmp_path: Path) -> None:
    assert debian_mirrors(tmp_path / "nothing", tmp_path / "nothing either") == []

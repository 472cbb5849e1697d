"""What is shipped: the lock, the wheel and what an install of it brings along."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tree import PACKAGES, ROOT, modules

LOCK = ROOT / "requirements.lock"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "x86_64-apple-darwin", "aarch64-apple-darwin")
BUILT_FROM_SOURCE = {"aarch64-manylinux_2_28": ["faust-streaming"]}
"""No wheel was published; it builds without a compiler too, only slower to run."""

HEAVY = ("spacy", "thinc", "numpy", "presidio_analyzer", "hyperscan", "faust", "elasticsearch", "jinja2", "pytest")
"""What a collector, beside every model, must not bring along."""

FOR_A_FRAMEWORK = ("slmtrail.collectors.sdk.langchain", "slmtrail.collectors.sdk.llama_index")
"""Of use only, and imported only, where the framework is."""


def locked() -> dict[str, list[str]]:
    """The lock: name of a distribution to the versions pinned, one for each fork of the platforms."""
    pins: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+) .*\\$", LOCK.read_text(), re.MULTILINE):
        pins.setdefault(name, []).append(version)
    return pins


def run(*command: str | Path, cwd: Path = ROOT, timeout_s: int = 600) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def skip_unless(*command: str | Path, cwd: Path) -> None:
    """Skips where `command`, which asks the package registry for next to nothing, gets no answer."""
    try:
        probe = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.skip("the package registry does not answer within a minute")
    if probe.returncode:
        pytest.skip(f"the package registry can't be reached: {' '.join(probe.stderr.split())[:300]}")


# The lock


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    pins = locked()
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    wanted = [Requirement(text) for text in itertools.chain(*groups)]
    assert len(wanted) > 20
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        if name != "slmtrail":
            assert pins.get(name), f"{name} is not in requirements.lock: run make lock"
            for version in pins[name]:
                assert version in requirement.specifier, f"{name}=={version} is not {requirement}: run make lock"


def test_every_pin_has_a_hash_and_no_address() -> None:
    text = LOCK.read_text()
    blocks = re.split(r"^(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)[1:]
    assert len(blocks) == sum(map(len, locked().values())) > 80
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block
    assert not re.search(r"://|^-|@ ", text, re.MULTILINE), "the lock names an address or an option of the installer"


@pytest.fixture(scope="module")
def uv_install(tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """What an install would do; run outside of the repository, so that uv sees the lock alone."""
    uv = Path(sys.executable).with_name("uv")
    # With this interpreter, whichever it resolves for, so that it fetches no other.
    install: list[str | Path] = [uv, "pip", "install", "--dry-run", "--no-python-downloads", "--python", sys.executable]
    probe = ["--reinstall", "--no-deps", f"packaging=={locked()['packaging'][0]}"]
    skip_unless(*install, *probe, cwd=tmp_path_factory.mktemp("probe"))
    return install


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_lock_installs_from_wheels(
    uv_install: list[str | Path], python: str, platform: str, tmp_path: Path
) -> None:
    target = ["--target", tmp_path / "site", "--python-version", python, "--python-platform", platform]
    wheels = ["--only-binary", ":all:"]
    for name in BUILT_FROM_SOURCE.get(platform, ()):
        wheels += ["--no-binary", name]
    run(*uv_install, *target, *wheels, "--require-hashes", "--requirements", LOCK, cwd=tmp_path)


# The distribution


def test_every_package_is_installed_shipped_and_checked() -> None:
    tool = PYPROJECT["tool"]
    assert tool["hatch"]["build"]["dev-mode-dirs"] == list(PACKAGES)
    assert tool["hatch"]["build"]["targets"]["wheel"]["packages"] == [f"{name}/slmtrail" for name in PACKAGES]
    assert {f"/{name}" for name in PACKAGES} <= set(tool["hatch"]["build"]["targets"]["sdist"]["include"])
    assert tool["mypy"]["files"] == [*PACKAGES, "bench"]
    assert tool["mypy"]["mypy_path"] == [*PACKAGES, "bench", "tests"]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", folder)
    (path,) = folder.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """The wheel, built the way an installer builds it from the sdist, without any network."""
    folder = sdist.with_name("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--no-cache-dir", "--wheel-dir", folder]
    run(sys.executable, "-m", "pip", "wheel", *options, sdist, cwd=sdist.parent)
    (path,) = folder.glob("*.whl")
    return path


def shipped() -> Iterator[str]:
    """Every file of our packages, as an install lays it out; what git ignores is not ours."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES).splitlines()
    return (name.partition("/")[2] for name in listed if (ROOT / name).exists())


def test_the_wheel_holds_every_file_of_every_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    code = {name for name in names if ".dist-info/" not in name}
    for package in PACKAGES:
        expected = {str(file.relative_to(ROOT / package)) for file in modules(package)}
        assert expected
        assert expected <= code
        assert f"slmtrail/{package}/py.typed" in code
        assert f"slmtrail/{package}/__init__.py" not in code
    assert "slmtrail/__init__.py" not in code
    assert not any("__pycache__" in name or name.startswith("tests") for name in names)
    if (ROOT / ".git").exists():
        assert code == set(shipped())


def test_the_sdist_carries_what_a_build_and_a_reader_need(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"} <= names


# The base install


@pytest.fixture(scope="module")
def collector(wheel: Path) -> Path:
    """The Python of a fresh virtual environment that has the wheel and its base dependencies, as pinned."""
    folder = wheel.parent
    python = folder / "venv" / "bin" / "python"
    run(sys.executable, "-m", "venv", folder / "venv")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    skip_unless(*install, "--dry-run", "--retries", "0", "--no-deps", f"rich=={locked()['rich'][0]}", cwd=folder)

    # pip takes no hashes from constraints; the lock's are checked by `make install`.
    bare = re.sub(r" *\\$|^ .*\n", "", LOCK.read_text(), flags=re.MULTILINE)
    (folder / "constraints.txt").write_text(bare)
    run(*install, "--constraint", folder / "constraints.txt", wheel, cwd=folder)
    return python


@pytest.mark.slow
def test_a_collector_is_light(collector: Path) -> None:
    script = (
        "import importlib.util, sys; "
        "print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name)], sep='\\n')"
    )
    assert run(collector, "-c", script, *HEAVY, cwd=collector.parent).split() == []
    # What is looked for exists under this name where everything is installed, so its absence means something.
    assert set(run(sys.executable, "-c", script, *HEAVY).split()) >= {"spacy", "faust", "elasticsearch", "jinja2"}


@pytest.mark.slow
def test_a_collector_imports_all_it_needs(collector: Path, wheel: Path) -> None:
    files = [Path(name) for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")]
    needed = [file for file in files if file.parts[1] in ("core", "bus", "collectors")]
    names = [".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in needed]
    assert "slmtrail.collectors.sdk" in names
    names = [name for name in names if name not in FOR_A_FRAMEWORK]
    script = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint('imported')"
    assert run(collector, "-c", script, *names, cwd=collector.parent).strip() == "imported"


@pytest.mark.slow
def test_a_collector_has_the_command(collector: Path) -> None:
    command = collector.with_name("slmtrail")
    assert PROJECT["version"] in run(command, "version", cwd=collector.parent)
    assert "collect" in run(command, "--help", cwd=collector.parent)

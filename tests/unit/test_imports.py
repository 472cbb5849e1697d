"""Who may import whom: core <- bus <- collectors | stream | indexer <- app, and what each must stay free of."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tree import PACKAGES, ROOT, modules

MAY_IMPORT = {
    "core": {"core"},
    "bus": {"core", "bus"},
    "collectors": {"core", "bus", "collectors"},
    "stream": {"core", "bus", "stream"},
    "indexer": {"core", "bus", "indexer"},
    "app": set(PACKAGES),
}
TEXT = {"spacy", "presidio_analyzer", "hyperscan", "re2", "regex", "tldextract", "phonenumbers", "numpy", "thinc"}
WEB = {"starlette", "uvicorn", "httptools", "jinja2", "multipart", "aiohttp"}
STORES = {"elasticsearch", "elastic_transport"}
FREE_OF = {
    "core": TEXT - {"re2"} | WEB | STORES | {"faust", "mode", "aiokafka"},
    "bus": TEXT | WEB | STORES | {"faust", "mode"},
    "collectors": TEXT - {"re2"} | STORES | {"faust", "mode", "aiokafka", "jinja2"},
    "stream": WEB | STORES | {"aiokafka"},
    "indexer": TEXT | WEB | {"faust", "mode", "aiokafka"},
}


def imports(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of every import in `source`, wherever it stands; `package` resolves relative ones."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: 1 - node.level or None] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from slmtrail import stream` names the package only in the alias.
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and (name := _imported_by(node)):
            yield node.lineno, name


def _imported_by(call: ast.Call) -> str | None:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0] if call.args else None
    if function in {"import_module", "__import__"} and isinstance(first, ast.Constant):
        return str(first.value)
    return None


def forbidden(stage: str, source: str, package: str) -> list[str]:
    """What a module of `stage` imports and must not."""
    faults = []
    for line, name in imports(source, package):
        first, _, rest = name.partition(".")
        if first == "slmtrail":
            target = rest.split(".")[0]
            if target not in MAY_IMPORT[stage]:
                faults.append(f"{line}: {stage} imports {target} ({name})")
        elif first in FREE_OF.get(stage, ()):
            faults.append(f"{line}: {stage} imports {first}")
    return faults


@pytest.mark.parametrize("stage", PACKAGES)
def test_no_arrow_points_the_wrong_way(stage: str) -> None:
    files = modules(stage)
    assert files
    faults = []
    for file in files:
        package = ".".join(file.relative_to(ROOT / stage).parent.parts)
        faults += [f"{file.relative_to(ROOT)}:{fault}" for fault in forbidden(stage, file.read_text(), package)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("stage", "source"),
    [
        ("core", "import slmtrail.bus.sqlite"),
        ("core", "def f():\n    import aiokafka.errors"),
        ("bus", "from slmtrail import collectors"),
        ("collectors", "from slmtrail.stream.process import process"),
        ("collectors", "def f():\n    from faust import App"),
        ("collectors", "import importlib\nimportlib.import_module('presidio_analyzer')"),
        ("stream", "from ..indexer import seal"),
        ("indexer", "from slmtrail.app import run"),
    ],
)
def test_a_wrong_arrow_is_found(stage: str, source: str) -> None:
    assert len(forbidden(stage, source, f"slmtrail.{stage}")) == 1


def test_a_right_arrow_is_let_through() -> None:
    assert not forbidden("stream", "from slmtrail.core import frames\nfrom .redact import redactor", "slmtrail.stream")
    assert not forbidden("app", "from slmtrail import stream, indexer", "slmtrail.app")


def test_the_namespace_stays_open() -> None:
    """An __init__.py in slmtrail/ or right below would hide the other packages or grow into a barrel of imports."""
    for package in PACKAGES:
        namespace = ROOT / package / "slmtrail"
        assert [path.name for path in namespace.iterdir() if path.name != "__pycache__"] == [package]
        assert not (namespace / package / "__init__.py").exists()


def test_inner_packages_only_describe_themselves() -> None:
    """But for the SDK, whose users import it by the package's name: it hands on its own public names."""
    for file in (path for package in PACKAGES for path in modules(package) if path.name == "__init__.py"):
        body = ast.parse(file.read_text()).body
        assert ast.get_docstring(ast.Module(body, [])), f"{file}: says what the package is"
        if file.parent.name == "sdk":
            handed_on = {name.rpartition(".")[2] for _, name in imports(file.read_text(), "")}
            (public,) = [ast.literal_eval(node.value) for node in body if isinstance(node, ast.Assign)]
            assert handed_on == set(public)
        else:
            assert len(body) == 1, f"{file}: a docstring, nothing else"

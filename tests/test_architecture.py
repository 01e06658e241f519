"""The rules that keep the program easy to change, checked in its source without running it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "core"

# Imports point down this list, or stay on one line of it without circles.
# A room is a folder of core/ or one of the few modules at its top.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("settings", "errors", "clock", "models"),
    ("monitoring",),
    ("db", "files", "cache"),
    ("images", "segmentation", "listing", "store", "demo"),
    ("queue", "ingest", "uploads", "export", "operations", "batch", "accounts", "corrections"),
    ("services",),
    ("http", "ui"),
    ("cli", "__main__"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
TOP_MODULES = 8  # at the top of core/

# Packages that only these parts of core/ may import.
MAY_IMPORT = {
    "streamlit": ("services", "ui", "accounts/streamlit_login"),
    "st_aggrid": ("ui",),
    "torch": ("segmentation/engines",),
    "redis": ("cache",),
    "dask": ("queue/dask_executor",),
    "distributed": ("queue/dask_executor",),
    "duckdb": ("db",),
}
MODULE_LINES, FUNCTION_LINES, PAGE_LINES = 300, 40, 80
SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE (TABLE|TYPE|INDEX)|ALTER TABLE)\b")


def core_files() -> list[Path]:
    return sorted(path for path in CORE.rglob("*.py"))


def page_files() -> list[Path]:
    return sorted((ROOT / "pages").glob("*.py"))


def program_files() -> list[Path]:
    others = [path for name in ("training", "bench") for path in (ROOT / name).rglob("*.py")]
    return [*core_files(), *page_files(), *others, *ROOT.glob("*.py")]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def for_each(files: Callable[[], list[Path]]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Make one test of a rule about a file: it names every file that breaks the rule, and how."""

    def decorate(rule: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            broken = []
            for path in files():
                try:
                    rule(path)
                except AssertionError as error:
                    broken.append(f"{name_of(path)}: {str(error).splitlines()[0]}")
            assert not broken, "\n".join(["", *broken])

        test.__name__ = rule.__name__
        return test

    return decorate


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(path)))


def room_of(path: Path) -> str:
    """The name that stands in LAYERS: core/http/api.py → http, core/db/database.py → db."""
    return path.relative_to(CORE).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[str]:
    """Dotted names that ``path`` imports, wherever in the file it does: core.db.Database, numpy."""
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: imports are absolute"
            yield from (f"{node.module}.{item.name}" for item in node.names)


def core_rooms(path: Path) -> set[str]:
    """Rooms of core that ``path`` imports."""
    parts = (name.split(".") for name in imports(path))
    return {name[1] for name in parts if name[0] == "core" and name[1] != "__version__"}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_every_room_of_core_has_its_layer() -> None:
    parts = {room_of(path) for path in core_files()} - {"__init__"}
    assert parts - set(RANK) == set(), "give these a line in LAYERS"


def test_few_modules_lie_at_the_top_of_core() -> None:
    assert len(list(CORE.glob("*.py"))) <= TOP_MODULES


@for_each(lambda: [path for path in CORE.rglob("__init__.py") if path.parent.name != "queue"])
def test_every_room_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))


@for_each(core_files)
def test_imports_point_one_way(path: Path) -> None:
    own = room_of(path)
    upwards = {part for part in core_rooms(path) if own != "__init__" and RANK[part] > RANK[own]}
    assert not upwards, f"{own} must not know of {', '.join(sorted(upwards))}"


def test_rooms_do_not_import_each_other_in_circles() -> None:
    needs: dict[str, set[str]] = {}
    for path in core_files():
        needs.setdefault(room_of(path), set()).update(core_rooms(path) - {room_of(path)})
    done: set[str] = set()
    while ready := {part for part in needs if part not in done and needs[part] <= done}:
        done |= ready
    assert set(needs) - done == set()


@for_each(core_files)
def test_pages_and_http_do_not_know_each_other(path: Path) -> None:
    assert not {room_of(path), *core_rooms(path)} >= {"http", "ui"}


@for_each(core_files)
def test_restricted_libraries_are_imported_only_where_allowed(path: Path) -> None:
    for package, allowed in MAY_IMPORT.items():
        place = path.relative_to(CORE).with_suffix("").as_posix()
        if not any(f"{place}/".startswith(f"{prefix}/") for prefix in allowed):
            assert package not in {name.split(".")[0] for name in imports(path)}


@for_each(page_files)
def test_pages_import_only_streamlit_and_core(path: Path) -> None:
    assert {name.split(".")[0] for name in imports(path)} <= {"streamlit", "core"}
    assert core_rooms(path) <= {"services", "ui", "models", "errors"}


@for_each(page_files)
def test_pages_are_short_and_define_nothing_of_weight(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= PAGE_LINES
    assert not [node for node in nodes_of(path) if isinstance(node, ast.ClassDef)]


@for_each(core_files)
def test_modules_and_functions_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES
    for node in functions(path):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        assert lines <= FUNCTION_LINES, f"{node.name} has {lines} lines"


def code_of(path: Path) -> str:
    """The source without comments and strings, in which a word means what it says."""
    skipped = (tokenize.COMMENT, tokenize.STRING)
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return " ".join(token.string for token in tokens if token.type not in skipped)


def last_name(node: ast.AST) -> str:
    """Of a.b.c it is c; unparsing every call of the program would take seconds."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@for_each(program_files)
def test_pickle_is_not_used(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for node in nodes_of(path):
        if isinstance(node, ast.keyword):
            assert node.arg != "allow_pickle" or ast.unparse(node.value) == "False"
        if not isinstance(node, ast.Call):
            continue
        if last_name(node.func) == "load" and ast.unparse(node.func) in {
            "torch.load",
            "np.load",
            "numpy.load",
        }:
            given = {item.arg: ast.unparse(item.value) for item in node.keywords}
            assert given.get("weights_only") == "True" or given.get("allow_pickle") == "False"
        if last_name(node.func).endswith("cache_data"):
            assert "persist" not in {item.arg for item in node.keywords}


@for_each(program_files)
def test_no_text_becomes_markup_or_code(path: Path) -> None:
    words = ("unsafe_allow_html", "eval", "exec", "shell")
    if any(word in path.read_text(encoding="utf-8") for word in words):
        assert not re.search(r"unsafe_allow_html|(?<!\. )\b(eval|exec) \(|shell = True", code_of(path))


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Every string but the docstrings, with its line; of an f-string, its fixed text."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    known = {  # docstrings, and parts of f-strings
        id(node.body[0].value)
        for node in nodes_of(path)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    known |= {id(part) for node in nodes_of(path) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes_of(path):
        if isinstance(node, ast.JoinedStr):
            texts = [part.value for part in node.values if isinstance(part, ast.Constant)]
            yield node.lineno, "".join(map(str, texts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in known:
            yield node.lineno, node.value


@for_each(lambda: [*core_files(), *page_files()])
def test_statements_longer_than_a_line_stand_in_sql_files(path: Path) -> None:
    statements = [(line, text) for line, text in strings(path) if SQL.search(text)]
    for line, text in statements:
        assert "\n" not in text, f"line {line}"
        assert len(text) <= 110, f"line {line}"
    assert not statements or room_of(path) == "db", "only the database speaks SQL"


@for_each(lambda: sorted((CORE / "db" / "sql").glob("*.sql")))
def test_statements_take_values_as_parameters_and_only_orders_and_conditions_as_text(path: Path) -> None:
    allowed = {
        "order",
        "where",
        "rows_after",
        "value",
        "x",
        "y",
        "columns",
        "codes",
        "summary",
    }  # the last are columns of a list that allows them
    assert set(re.findall(r"\{(\w*)\}", path.read_text(encoding="utf-8"))) <= allowed


@for_each(core_files)
def test_no_error_is_swallowed_in_silence(path: Path) -> None:
    for node in nodes_of(path):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = ast.unparse(node.type) if node.type else ""
        assert caught, f"line {node.lineno}: say what is caught"
        if caught in {"Exception", "BaseException"}:
            body = "".join(ast.unparse(item) for item in node.body)
            assert body != "pass", f"line {node.lineno}"


@for_each(program_files)
def test_no_path_of_one_machine_is_written_down(path: Path) -> None:
    for line, text in strings(path):
        assert not re.match(r"/(home|work|root|Users)/", text), f"line {line}"


def test_the_page_on_architecture_describes_this_tree() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    first, _, rest = text.partition("## The way of an image")
    rooms = {
        name for line in first.splitlines() if line.startswith("| `") for name in _code(line.split("|")[1])
    }
    assert rooms == set(RANK), "a row for each room, and no other"
    order = [
        name for line in first.splitlines() if line.startswith("| `") for name in _code(line.split("|")[1])
    ]
    assert [RANK[name] for name in order] == sorted((RANK[name] for name in order), reverse=True)
    for name in _code(rest):
        if "/" in name:
            assert (ROOT / name).exists(), f"{name} is not there"


def _code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)

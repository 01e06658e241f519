"""The command line on real files: rows in order, bad files in between, exit codes, names that collide."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core import __version__, cli
from core.batch import runner
from core.batch.inputs import find_inputs
from core.demo.plate import demo_plate, tiff
from core.demo.synthetic import BodySpec, Scene, SceneSpec, scene
from core.images import label_png
from core.listing import export_rows
from core.models import Limits, Segmentation
from core.segmentation import DEFAULT_ENGINE
from core.settings import ROOT
from tests.corpus import datasets
from tests.engines import ENGINES


def drawn(seed: int = 0, *bodies: BodySpec) -> Scene:
    bodies = bodies or (BodySpec((90, 95), 70),)
    return scene(np.random.default_rng(seed), SceneSpec(bodies, (192, 192), loose_cells=2, specks=3))


def picture(path: Path, seed: int = 0) -> Path:
    """A 12-bit TIFF with one spheroid of 70 px and 2.5 µm a pixel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tiff(drawn(seed).pixels, "A01"))
    return path


def stack(path: Path, pages: int = 3) -> Path:
    first, *more = (Image.fromarray(drawn(seed).pixels) for seed in range(pages))
    first.save(path, save_all=True, append_images=more)
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def segment(*arguments: str | Path, engine: str = "classical") -> int:
    """Run the command; by the engine that needs no torch, which takes long to load."""
    return cli.main(["segment", "--engine", engine, *map(str, arguments)])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results" / "run"


@pytest.mark.parametrize("engine", ["classical", pytest.param(DEFAULT_ENGINE, marks=pytest.mark.slow)])
def test_a_folder_becomes_tables(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    for name in ("A10.tif", "A2.tif", "B1.TIF"):
        picture(tmp_path / "plate" / name, seed=len(name))
    assert segment(tmp_path / "plate", "--out", out, engine=engine) == 0
    images, objects = rows(out / "images.csv"), rows(out / "objects.csv")
    assert [Path(row["path"]).name for row in images] == ["A2.tif", "A10.tif", "B1.TIF"]
    assert tuple(images[0]) == export_rows.IMAGE_HEADER
    for row in images:
        assert (row["status"], row["n_objects"], row["um_per_px"], row["um_per_px_source"]) == (
            "done",
            "1",
            "2.5",
            "file",
        )
        assert (row["page"], row["width_px"], row["height_px"], row["bit_depth"]) == ("1", "192", "192", "12")
        assert (row["engine"], row["spheroscope_version"]) == (engine, __version__)
        diameter_px = float(row["largest_equivalent_diameter_px"])
        assert diameter_px == pytest.approx(70, rel=0.06)
        assert float(row["largest_equivalent_diameter_um"]) == 2.5 * diameter_px
        data = (tmp_path / "plate" / row["image"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert json.loads(row["params"])
        assert float(row["seconds"]) > 0
        assert row["mask"] == row["overlay"] == ""
    assert [row["path"] for row in objects] == [row["path"] for row in images]
    assert [row["object"] for row in objects] == ["1", "1", "1"]
    assert float(objects[0]["area_um2"]) == pytest.approx(6.25 * float(objects[0]["area_px2"]))
    assert rows(out / "formulas.csv")[0] == {
        "column": "area_px2",
        "unit": "px²",
        "formula": "pixel count, holes taken out",
    }
    assert "3 images measured, 0 failed, 3 spheroids" in capsys.readouterr().err
    assert not (out / "masks").exists()


def test_bad_files_are_rows_and_stop_nothing(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plate = tmp_path / "plate"
    good = picture(plate / "b.tif")
    (plate / "a.png").write_bytes(b"<html>not a picture</html>")
    (plate / "c.tif").write_bytes(good.read_bytes()[:900])
    (plate / "d.jpg").write_bytes(b"")
    picture(plate / "e.tif")
    for skipped in ("SOURCE.md", "table.csv", "._b.tif", ".hidden.png"):
        (plate / skipped).write_bytes(b"no picture")
    picture(plate / "sub" / "deeper.tif")
    (plate / "folder.tif").mkdir()
    assert segment(plate, plate / "SOURCE.md", tmp_path / "gone.tif", plate / "sub" / "..", "--out", out) == 0
    images = {Path(row["path"]).name: row for row in rows(out / "images.csv")}
    assert {name: (row["status"], row["error_code"]) for name, row in images.items()} == {
        "a.png": ("failed", "not_an_image"),
        "b.tif": ("done", ""),
        "c.tif": ("failed", "image_unreadable"),
        "d.jpg": ("failed", "empty_file"),
        "e.tif": ("done", ""),
        "SOURCE.md": ("failed", "not_an_image"),
        "gone.tif": ("failed", "not_found"),
    }
    assert all(bool(row["error"]) == (row["status"] == "failed") for row in images.values())
    assert {Path(row["path"]).name for row in rows(out / "objects.csv")} == {"b.tif", "e.tif"}
    assert f"failed: {tmp_path / 'gone.tif'}" in capsys.readouterr().err


def test_nothing_measured_is_exit_2(tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert segment(tmp_path / "a.png", "--out", out) == 2
    assert [row["status"] for row in rows(out / "images.csv")] == ["failed"]
    (tmp_path / "empty").mkdir()
    capsys.readouterr()
    assert segment(tmp_path / "empty", "--out", out) == 2
    assert "No images found in " in capsys.readouterr().err


def test_masks_and_overlays_match_the_tables(tmp_path: Path, out: Path) -> None:
    picture(tmp_path / "A01.tif")
    assert segment(tmp_path / "A01.tif", "--out", out, "--masks", "--overlays") == 0
    (row,) = rows(out / "images.csv")
    assert (row["mask"], row["overlay"]) == ("masks/A01.png", "overlays/A01.png")
    mask = cv2.imread(str(out / row["mask"]), cv2.IMREAD_UNCHANGED)
    assert (mask.dtype, mask.shape) == (np.uint16, (192, 192))
    assert set(np.unique(mask)) == {0, 1}
    (measured,) = rows(out / "objects.csv")
    assert np.count_nonzero(mask) == float(measured["area_px2"])
    truth = drawn().labels > 0
    assert (truth & (mask > 0)).sum() / (truth | (mask > 0)).sum() > 0.85
    assert cv2.imread(str(out / row["overlay"])).shape == (192, 192, 3)


def test_names_that_collide_get_numbers(tmp_path: Path, out: Path) -> None:
    files = [
        picture(tmp_path / name) for name in ("x/a.tif", "y/A.tif", "y/a_2.tif", "y/a_p2.tif", "y/a.tiff")
    ]
    assert segment(*files, stack(tmp_path / "a.tif"), "--out", out, "--masks", "--overlays") == 0
    images = rows(out / "images.csv")
    assert [row["mask"] for row in images] == [
        f"masks/{stem}.png" for stem in ("a", "A_3", "a_2", "a_p2", "a_4", "a_5_p1", "a_5_p2", "a_5_p3")
    ]
    assert len(list((out / "masks").iterdir())) == len(list((out / "overlays").iterdir())) == len(images)


def test_a_page_never_takes_another_files_name(tmp_path: Path, out: Path) -> None:
    other = picture(tmp_path / "a_p2.tif")
    assert segment(stack(tmp_path / "a.tif"), other, "--out", out, "--masks") == 0
    assert [row["mask"][6:-4] for row in rows(out / "images.csv")] == ["a_p1", "a_p2_", "a_p3", "a_p2"]


def test_pages_are_rows_of_their_own(tmp_path: Path, out: Path) -> None:
    path = stack(tmp_path / "z.tif")
    assert segment(path, "--out", out, "--um-per-px", "2") == 0
    images = rows(out / "images.csv")
    assert [(row["path"], row["page"]) for row in images] == [
        (f"{path}#{page}", str(page)) for page in (1, 2, 3)
    ]
    assert {row["path"] for row in rows(out / "objects.csv")} == {row["path"] for row in images}


def test_a_typed_pixel_size_wins_over_the_files(tmp_path: Path, out: Path) -> None:
    assert segment(picture(tmp_path / "a.tif"), "--out", out, "--um-per-px", "0.5") == 0
    (row,) = rows(out / "images.csv")
    assert (row["um_per_px"], row["um_per_px_source"]) == ("0.5", "user")
    assert float(row["largest_equivalent_diameter_um"]) == 0.5 * float(row["largest_equivalent_diameter_px"])
    assert (row["um_per_px"], row["um_per_px_source"], row["um_per_px_file"]) == ("0.5", "user", "2.5")


def test_settings_are_used_and_stand_in_the_table(tmp_path: Path, out: Path) -> None:
    options = ("--set", "outline=core", "--set", "min_diameter_px=5000")
    assert segment(picture(tmp_path / "a.tif"), "--out", out, *options) == 0
    (row,) = rows(out / "images.csv")
    assert row["n_objects"] == "0"
    params = json.loads(row["params"])
    assert (params["outline"], params["min_diameter_px"]) == ("core", 5000.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("outline=rim", "outline must be one of auto, whole, core"),
        ("tightness=2", "no parameter 'tightness'"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_anything_is_written(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], given: str, message: str
) -> None:
    assert segment(picture(tmp_path / "a.tif"), "--out", out, "--set", given) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_without_a_pixel_size_no_micrometre_is_written(tmp_path: Path, out: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), drawn().pixels)
    assert segment(tmp_path / "a.png", "--out", out) == 0
    (image,), (measured,) = rows(out / "images.csv"), rows(out / "objects.csv")
    assert image["um_per_px"] == image["um_per_px_source"] == image["largest_equivalent_diameter_um"] == ""
    twins = [name for name in measured if name.endswith(("_um", "_um2", "_um3"))]
    assert len(twins) == 7
    assert not any(measured[name] for name in twins)
    assert measured["area_px2"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--um-per-px", "0"],
        ["--um-per-px", "-1"],
        ["--um-per-px", "nan"],
        ["--um-per-px", "inf"],
        ["--um-per-px", "wide"],
        ["--workers", "0"],
        ["--workers", "1.5"],
        ["--engine", "magic"],
    ],
)
def test_wrong_usage_is_exit_2(
    tmp_path: Path, out: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        segment(picture(tmp_path / "a.tif"), "--out", out, *arguments)
    assert stop.value.code == 2
    assert arguments[0] in capsys.readouterr().err
    assert not out.exists()


def test_an_out_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = picture(tmp_path / "a.tif")
    assert segment(blocked, "--out", blocked / "results") == 2
    message = capsys.readouterr().err
    assert message.startswith(f"Cannot write to {blocked / 'results'}: ")
    assert message.count("\n") == 1


def test_results_never_replace_their_own_inputs(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = picture(out / "masks" / "a.tif")
    before = path.read_bytes()
    assert segment(path, "--out", out, "--masks") == 2
    assert "Choose another --out" in capsys.readouterr().err
    assert [item.name for item in (out / "masks").iterdir()] == ["a.tif"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "name", ["=cmd()|x.tif", "-2+3.tif", "@a.tif", "+1.tif", 'a "b", c.tif', "two\nlines.tif"]
)
def test_names_are_text_in_a_spreadsheet(
    tmp_path: Path, out: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert segment("--out", out, "--masks", "--", name) == 0
    written = {rows(out / table)[0]["path"] for table in ("images.csv", "objects.csv")}
    assert written == {("'" if name[0] in "=-@+" else "") + name}


def test_a_name_that_is_no_text_is_still_measured(tmp_path: Path, out: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.tif")
    picture(path)
    assert segment(tmp_path, "--out", out, "--masks") == 0
    assert rows(out / "images.csv")[0]["path"].endswith("caf\\udce9.tif")
    assert len(list((out / "masks").iterdir())) == 1


def test_rows_keep_the_inputs_order_with_few_files_under_way(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [picture(tmp_path / f"{name}.tif") for name in "dbca"] * 5
    started: list[runner.Input] = []
    real = runner._file

    def recorded(item: runner.Input, *rest: object) -> list[runner.Measured]:
        started.append(item)
        return real(item, *rest)

    monkeypatch.setattr(runner, "_file", recorded)
    inputs = tuple(runner.Input(path, str(index)) for index, path in enumerate(files))
    seen: list[object] = []

    def report(measured: runner.Measured) -> None:
        seen.append(measured.image["path"])
        assert len(started) <= len(seen) + runner.AHEAD * 2

    runner.run(inputs, runner.Options(out, ENGINES.get("classical"), workers=2), report)
    assert seen == [str(path) for path in files]


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path, out: Path) -> None:
    path = picture(tmp_path / "a.tif")
    seen: list[runner.Measured] = []
    runner.run(
        find_inputs([path]),
        runner.Options(out, ENGINES.get("classical"), limits=Limits(max_bytes=1000)),
        seen.append,
    )
    assert [measured.image["error_code"] for measured in seen] == ["image_too_large"]


def test_a_defect_in_an_engine_is_a_failed_row(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Segmentation:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(runner, "segment", broken)
    assert segment(picture(tmp_path / "a.tif"), "--out", out) == 2
    (row,) = rows(out / "images.csv")
    assert (row["error_code"], row["width_px"], row["um_per_px"]) == ("segmentation_error", "192", "2.5")
    assert "ZeroDivisionError" in row["error"]


def test_more_spheroids_than_a_mask_can_number_are_refused_only_with_masks(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_png, "MAX_LABELS", 0)
    path = picture(tmp_path / "a.tif")
    assert segment(path, "--out", out) == 0
    assert segment(path, "--out", out, "--masks") == 2
    (row,) = rows(out / "images.csv")
    assert row["error_code"] == "segmentation_error"
    assert "a 16-bit mask numbers at most 0" in row["error"]
    assert rows(out / "objects.csv") == []


def test_a_picture_that_cannot_be_written_fails_its_row_only(tmp_path: Path, out: Path) -> None:
    (out / "masks" / "a.png").mkdir(parents=True)
    files = [picture(tmp_path / name) for name in ("a.tif", "b.tif")]
    assert segment(*files, "--out", out, "--masks") == 0
    assert [row["error_code"] for row in rows(out / "images.csv")] == ["storage_error", ""]


def test_an_interrupted_run_keeps_its_rows(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.Progress, "add", interrupt)
    assert segment(picture(tmp_path / "a.tif"), "--out", out) == 130
    assert len(rows(out / "images.csv")) == 1
    assert "Stopped" in capsys.readouterr().err


def test_a_file_reached_twice_is_measured_once(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.tif")
    (tmp_path / "link.tif").symlink_to(path)
    assert [item.path for item in find_inputs([path, tmp_path, path.parent / "." / "a.tif"])] == [path]


def test_serve_runs_the_app_on_this_computer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(os, "execv", lambda *command: calls.append(command))
    cli.main(["serve", "--port", "9000"])
    ((program, arguments),) = calls
    assert program == sys.executable
    assert arguments[1:] == [
        "-m",
        "streamlit",
        "run",
        str(ROOT / "app.py"),
        "--server.address",
        "127.0.0.1",
        "--server.port",
        "9000",
    ]


@pytest.mark.slow
def test_it_runs_as_a_module(tmp_path: Path, out: Path) -> None:
    command = [sys.executable, "-m", "core", "segment", picture(tmp_path / "a.tif"), "--out", out]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 images measured" in done.stderr
    failed = subprocess.run(
        [*command[:4], tmp_path / "none", "--out", out],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert failed.returncode == 2


@pytest.mark.datasets
@pytest.mark.slow
def test_images_that_say_their_pixel_size(out: Path) -> None:
    assert (
        segment(
            *(datasets() / "mls11_spheroids_dagostino" / "images", "--out", out, "--masks", "--overlays"),
            engine=DEFAULT_ENGINE,
        )
        == 0
    )
    images, objects = rows(out / "images.csv"), rows(out / "objects.csv")
    assert [row["status"] for row in images] == ["done"] * 8
    assert {(row["um_per_px"], row["um_per_px_source"]) for row in images} == {("1.3622", "file")}
    assert all(row["equivalent_diameter_um"] and row["area_um2"] for row in objects)
    assert len(list((out / "masks").iterdir())) == len(list((out / "overlays").iterdir())) == 8


@pytest.mark.datasets
@pytest.mark.slow
def test_images_that_do_not(out: Path) -> None:
    images_folder = datasets() / "a673_spheroids_parent" / "images"
    assert segment(images_folder, "--out", out, engine=DEFAULT_ENGINE) == 0
    images, objects = rows(out / "images.csv"), rows(out / "objects.csv")
    assert len(images) == 40
    assert {row["status"] for row in images} == {"done"}
    assert {Path(row["path"]).stem: row["n_objects"] for row in images}["A673_19"] == "0"
    assert not any(row[name] for row in objects for name in row if name.endswith(("_um", "_um2", "_um3")))


def test_the_demo_plate_is_written_with_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("core.demo.folder.demo_plate", lambda seed: islice(demo_plate(seed), 3))
    out = tmp_path / "plate"
    assert cli.main(["demo", "--out", str(out)]) == 0
    assert capsys.readouterr().err.startswith("3 images")
    truth = rows(out / "truth.csv")
    assert len(truth) == 288
    assert list(truth[0]) == ["name", "n", "diameters_um", "dose_micromolar", "problem"]
    names = sorted(path.name for path in (out / "images").iterdir())
    assert names == [row["name"] for row in truth[:3]]
    by_name = {row["name"]: row for row in truth}
    two, empty, dosed = (by_name[f"{well}_day1.tif"] for well in ("B04", "D07", "A05"))
    assert (two["n"], two["problem"]) == ("2", "two spheroids")
    first, second = map(float, two["diameters_um"].split(";"))
    assert first > second > 100
    assert (empty["n"], empty["diameters_um"], empty["problem"]) == ("0", "", "empty well")
    assert (float(dosed["dose_micromolar"]), dosed["problem"]) == (0.1, "")

"""The wheel contains type markers and the licence."""

import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from tests import ROOT


def test_every_package_is_typed_and_the_licence_is_named(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    with zipfile.ZipFile(built) as wheel:
        names = set(wheel.namelist())
        (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
        metadata = message_from_bytes(wheel.read(f"{info}/METADATA"))
    packages = [Path(each).name for each in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
    assert {f"{package}/py.typed" for package in packages} <= names
    assert metadata["License-Expression"] == "Apache-2.0"
    assert f"{info}/licenses/LICENSE" in names

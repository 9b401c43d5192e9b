"""Files as users lay them out: packages, scripts with neighbours, names that others have too."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pickle
import subprocess
import sys
import types
from textwrap import dedent

import pytest

from inferometer.core.errors import WorkloadError
from inferometer.models import load


@pytest.fixture
def lay(tmp_path):
    """Write files by their paths; gives the folder that they are in."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        return tmp_path

    return write


def value(path, factory="build"):
    """What the callable gives that a factory made."""
    return load(f"{path}:{factory}", seed=0).network()


BUILD = "def build():\n    return lambda: VALUE\n"


class TestPackages:
    def test_relative_imports(self, lay):
        folder = lay(
            {
                "pkg/__init__.py": "",
                "pkg/blocks.py": "VALUE = 5",
                "pkg/model.py": "from .blocks import VALUE\n" + BUILD,
            }
        )
        assert value(folder / "pkg/model.py") == 5

    def test_from_the_package_above(self, lay):
        folder = lay(
            {
                "pkg/__init__.py": "BASE = 1",
                "pkg/common.py": "from . import BASE\nVALUE = BASE + 1",
                "pkg/nets/__init__.py": "",
                "pkg/nets/model.py": "from ..common import VALUE\n" + BUILD,
            }
        )
        assert value(folder / "pkg/nets/model.py") == 2

    @pytest.mark.parametrize("dots", ["..", "..."])
    def test_folders_that_are_no_packages(self, lay, dots):
        folder = lay(
            {
                "a/common.py": "VALUE = 3",
                "common.py": "VALUE = 4",
                "a/nets/blocks.py": f"from {dots}common import VALUE",
                "a/nets/model.py": "from .blocks import VALUE\n" + BUILD,
            }
        )
        assert value(folder / "a/nets/model.py") == {"..": 3, "...": 4}[dots]

    def test_a_sub_folder_that_lacks_its_init(self, lay):
        folder = lay(
            {
                "pkg/__init__.py": "VALUE = 8",
                "pkg/nets/model.py": "from .. import VALUE\n" + BUILD,
            }
        )
        assert value(folder / "pkg/nets/model.py") == 8

    @pytest.mark.parametrize("init", [{}, {"proj/pack_age/__init__.py": "INIT = True"}])
    def test_by_the_packages_own_name(self, lay, init):
        folder = lay(
            {
                **init,
                "proj/pack_age/blocks.py": "VALUE = 6",
                "proj/pack_age/model.py": "from pack_age.blocks import VALUE\n" + BUILD,
            }
        )
        assert value(folder / "proj/pack_age/model.py") == 6

    def test_both_names_are_one_module(self, lay):
        folder = lay(
            {
                "twice/__init__.py": "",
                "twice/blocks.py": "class Block: ...",
                "twice/registry.py": "FOUND = []",
                "twice/plug.py": "from twice.registry import FOUND\nFOUND.append(1)",
                "twice/model.py": """
                    import importlib
                    from .blocks import Block
                    from .registry import FOUND
                    from twice.blocks import Block as Same
                    importlib.import_module("twice.plug")
                    VALUE = (Block is Same, FOUND)
                """
                + dedent(f"\n{BUILD}").replace("\n", "\n                    "),
            }
        )
        assert value(folder / "twice/model.py") == (True, [1])

    def test_a_package_that_imports_the_file_itself(self, lay):
        folder = lay(
            {
                "selfish/__init__.py": "from .model import build",
                "selfish/count.py": "RUNS = []",
                "selfish/model.py": "from .count import RUNS\nRUNS.append(1)\nVALUE = RUNS\n"
                + BUILD,
            }
        )
        assert value(folder / "selfish/model.py") == [1]

    def test_the_factory_may_be_in_the_init(self, lay):
        folder = lay(
            {
                "whole/__init__.py": "from .blocks import VALUE\n" + BUILD,
                "whole/blocks.py": "VALUE = 2",
            }
        )
        assert value(folder / "whole/__init__.py") == 2

    @pytest.mark.parametrize("name", ["my-model", "v1.2", "3d", "class", "with space"])
    @pytest.mark.parametrize("init", [{}, {"__init__.py": "VALUE = 1"}])
    def test_names_that_are_no_identifiers(self, lay, name, init):
        files = {
            **init,
            "blocks.py": "VALUE = 7",
            "my.net-1.py": "from .blocks import VALUE\n" + BUILD,
        }
        folder = lay({f"{name}/{file}": text for file, text in files.items()})
        assert value(folder / name / "my.net-1.py") == 7

    def test_scripts_in_a_package(self, lay):
        folder = lay(
            {
                "loose/__init__.py": "",
                "loose/only_here.py": "VALUE = 9",
                "loose/model.py": "from only_here import VALUE\n" + BUILD,
            }
        )
        assert value(folder / "loose/model.py") == 9

    def test_a_script_needs_no_package_around_it(self, lay):
        folder = lay(
            {
                "broken/__init__.py": "raise ImportError('a package that is not needed')",
                "broken/beside_script.py": "VALUE = 4",
                "broken/model.py": "from beside_script import VALUE\n" + BUILD,
            }
        )
        assert value(folder / "broken/model.py") == 4

    def test_a_package_that_is_named_at_run_time(self, lay):
        folder = lay(
            {
                "dynamic/__init__.py": "VALUE = 4",
                "dynamic/model.py": "from importlib import import_module\n"
                "VALUE = import_module('dynamic').VALUE\n" + BUILD,
            }
        )
        assert value(folder / "dynamic/model.py") == 4

    def test_modules_of_a_package_are_not_pythons(self, lay):
        folder = lay(
            {
                "shadows/__init__.py": "",
                "shadows/types.py": "VALUE = 1",
                "shadows/copy.py": "",
                "shadows/model.py": "import copy, types\nfrom .types import VALUE as MINE\n"
                "VALUE = (copy.copy(2), types.SimpleNamespace(a=3).a, MINE)\n" + BUILD,
            }
        )
        assert value(folder / "shadows/model.py") == (2, 3, 1)

    def test_a_neighbour_that_is_not_there(self, lay):
        folder = lay({"pkg/__init__.py": "", "pkg/model.py": "from .blokcs import A\n" + BUILD})
        with pytest.raises(WorkloadError, match=r"there is no module .*/pkg/blokcs$") as caught:
            value(folder / "pkg/model.py")
        assert caught.value.kind == "bad_model"


class TestNamesThatOthersHave:
    @pytest.fixture
    def installed(self, tmp_path, monkeypatch):
        """A package that is installed, as it were."""
        place = tmp_path / "site-packages"
        (place / "popular").mkdir(parents=True)
        (place / "popular/__init__.py").write_text("def create_model():\n    return 'theirs'\n")
        (place / "popular/blocks.py").write_text("VALUE = 'theirs'\n")
        (place / "single.py").write_text("VALUE = 'theirs'\n")
        monkeypatch.syspath_prepend(str(place))
        yield place
        for name in [name for name in sys.modules if name.split(".")[0] in ("popular", "single")]:
            del sys.modules[name]

    @pytest.fixture(params=["imported before", "not imported"])
    def popular(self, installed, request):
        return importlib.import_module("popular") if request.param == "imported before" else None

    def check(self, popular):
        theirs = importlib.import_module("popular")
        assert popular in (None, theirs)
        assert theirs.create_model() == "theirs"
        assert importlib.import_module("popular.blocks").VALUE == "theirs"

    @pytest.mark.parametrize(
        "statement", ["from .blocks import VALUE", "from popular.blocks import VALUE"]
    )
    @pytest.mark.parametrize("init", [{}, {"popular/__init__.py": ""}])
    def test_the_files_own_package(self, lay, popular, statement, init):
        files = {"popular/blocks.py": "VALUE = 'mine'", "popular/net.py": f"{statement}\n{BUILD}"}
        folder = lay({**init, **files})
        assert value(folder / "popular/net.py") == "mine"
        self.check(popular)

    @pytest.mark.parametrize("init", [{}, {"popular/__init__.py": ""}])
    def test_the_installed_one_meant(self, lay, popular, init):
        body = "import popular as p\nfrom popular import create_model\n"
        body += "VALUE = (p.create_model(), create_model())\n"
        folder = lay({**init, "popular/net.py": body + BUILD})
        assert value(folder / "popular/net.py") == ("theirs", "theirs")
        self.check(popular)

    def test_the_installed_one_meant_beside_a_package_that_fails(self, lay, popular):
        body = "import popular\nVALUE = popular.create_model()\n"
        folder = lay({"popular/__init__.py": "raise OSError", "popular/net.py": body + BUILD})
        assert value(folder / "popular/net.py") == "theirs"

    def test_an_error_within_the_users_own(self, lay, popular):
        folder = lay(
            {"popular.py": "import nowhere_at_all", "net.py": "from popular import MINE\n" + BUILD}
        )
        with pytest.raises(WorkloadError, match="No module named 'nowhere_at_all'"):
            value(folder / "net.py")

    def test_a_script_of_that_name(self, lay, popular):
        folder = lay(
            {"nets/popular.py": "import popular\nVALUE = popular.create_model()\n" + BUILD}
        )
        assert value(folder / "nets/popular.py") == "theirs"
        self.check(popular)

    def test_a_neighbour(self, lay, popular):
        body = "import popular.blocks\nfrom single import VALUE as ONE\n"
        body += "VALUE = (popular.blocks.VALUE, ONE)\n"
        files = {"popular/blocks.py": "VALUE = 'mine'", "single.py": "VALUE = 'mine'"}
        folder = lay({"net.py": body + BUILD, **files})
        assert value(folder / "net.py") == ("mine", "mine")
        self.check(popular)
        assert importlib.import_module("single").VALUE == "theirs"

    def test_imported_in_a_call(self, lay, popular):
        body = "def build():\n    def call():\n        from popular.blocks import VALUE\n"
        body += "        return VALUE\n    return call\n"
        folder = lay({"net.py": body, "popular/blocks.py": "VALUE = 'mine'"})
        assert value(folder / "net.py") == "mine"
        self.check(popular)

    def test_a_folder_of_data_is_no_package(self, lay, popular):
        folder = lay(
            {
                "popular/weights.txt": "",
                "net.py": "import popular\nVALUE = popular.create_model()\n" + BUILD,
            }
        )
        assert value(folder / "net.py") == "theirs"

    def test_pythons_own_library(self, lay):
        body = "import profile, queue\nfrom colorsys import Net\nVALUE = (Net, queue.Empty)\n"
        files = {"queue.py": "", "profile.py": "raise ValueError", "colorsys.py": "Net = 4"}
        folder = lay({"net.py": body + BUILD, **files})
        theirs = importlib.import_module("queue")
        assert value(folder / "net.py") == (4, theirs.Empty)
        assert importlib.import_module("colorsys").rgb_to_hsv
        assert importlib.import_module("queue") is theirs

    def test_two_projects_with_the_same_names(self, lay):
        body = "from utils_of_mine.ops import VALUE\nfrom helper_of_mine import HELP\n"
        late = "def build():\n    def call():\n        import late_of_mine\n"
        late += "        return VALUE, HELP, late_of_mine.VALUE\n    return call\n"
        files = {"net.py": body + late}
        for project in ("one", "two"):
            files[f"{project}/net.py"] = body + late
            files[f"{project}/utils_of_mine/ops.py"] = f"VALUE = '{project}'"
            files[f"{project}/helper_of_mine.py"] = f"HELP = '{project}'"
            files[f"{project}/late_of_mine.py"] = f"VALUE = '{project}'"
        folder = lay(files)
        calls = [load(f"{folder / name}/net.py:build", seed=0).network for name in ("one", "two")]
        assert [call() for call in calls] == [("one",) * 3, ("two",) * 3]

    def test_a_package_that_is_imported_is_not_run_again(self, installed):
        theirs = importlib.import_module("popular")
        (installed / "popular/net.py").write_text("import popular\nVALUE = popular\n" + BUILD)
        importlib.invalidate_caches()
        assert value(installed / "popular/net.py") is theirs


class TestLater:
    LATE = (
        "def build():\n    def call():\n        from helper_in_call import VALUE\n"
        "        return VALUE\n    return call\n"
    )

    def test_neighbours_imported_in_the_first_call(self, lay, monkeypatch, tmp_path_factory):
        folder = lay({"net.py": self.LATE, "helper_in_call.py": "VALUE = 2.0"})
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        here, path = os.getcwd(), list(sys.path)  # noqa: PTH109 - as the user's code would see it
        call = load(f"{folder / 'net.py'}:build", seed=0).network
        assert call() == 2.0
        assert (os.getcwd(), sys.path) == (here, path)  # noqa: PTH109

    def test_in_a_process_of_its_own(self, lay):
        folder = lay({"net.py": self.LATE, "helper_in_call.py": "VALUE = 2.0"})
        code = f"from inferometer.models import load\nprint(load({str(folder / 'net.py')!r} + ':build', seed=0).network())"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == "2.0", done.stderr

    def test_import_costs_later_calls_nothing(self, lay):
        """No code of ours stands between the model and Python's own import statement."""
        late = self.LATE.replace("helper_in_call", "helper_at_no_cost")
        folder = lay({"net.py": late, "helper_at_no_cost.py": "VALUE = 2.0"})
        call = load(f"{folder / 'net.py'}:build", seed=0).network
        assert call() == 2.0
        assert call.__builtins__["__import__"] is __import__

    def test_data_files_are_opened_from_the_current_folder(
        self, lay, tmp_path_factory, monkeypatch
    ):
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        (elsewhere / "data.txt").write_text("here")
        folder = lay(
            {
                "net.py": "from pathlib import Path\nVALUE = Path('data.txt').read_text()\n"
                + BUILD,
                "data.txt": "there",
            }
        )
        monkeypatch.chdir(elsewhere)
        assert value(folder / "net.py") == "here"


class TestModulesAreRegistered:
    def test_dataclasses_and_pickle(self, lay):
        folder = lay(
            {
                "proper/__init__.py": "",
                "proper/blocks.py": """
                    from __future__ import annotations
                    from dataclasses import dataclass

                    @dataclass
                    class Block:
                        width: int = 3
                """,
                "proper/model.py": """
                    from __future__ import annotations
                    from dataclasses import dataclass
                    from .blocks import Block

                    @dataclass
                    class Net(Block):
                        depth: int = 2
                        def __call__(self):
                            return self.width, self.depth

                    def build():
                        return Net()
                """,
            }
        )
        made = load(f"{folder / 'proper/model.py'}:build", seed=0).network
        assert pickle.loads(pickle.dumps(made))() == (3, 2)

    def test_pickles_with_plain_names_are_read(self, lay):
        folder = lay(
            {
                "blocks_of_pickle.py": "class Block:\n    VALUE = 1",
                "net.py": """
                    import pickle
                    from blocks_of_pickle import Block

                    def build():
                        same = pickle.loads(b'cblocks_of_pickle\\nBlock\\n.')
                        return lambda: same is Block
                """,
            }
        )
        assert value(folder / "net.py") is True

    def test_a_changed_file_of_a_package_is_read_again(self, lay):
        files = {"again/__init__.py": "", "again/blocks.py": "VALUE = 1"}
        folder = lay({**files, "again/model.py": "from .blocks import VALUE\n" + BUILD})
        assert value(folder / "again/model.py") == 1
        lay({"again/model.py": "VALUE = 22222\n" + BUILD})
        assert value(folder / "again/model.py") == 22222

    def test_links_have_the_neighbours_of_both_folders(self, lay):
        body = "from near_link import VALUE as NEAR\nfrom near_target import VALUE as FAR\n"
        folder = lay(
            {
                "here/near_link.py": "VALUE = 1",
                "there/near_target.py": "VALUE = 2",
                "there/net.py": body + "VALUE = (NEAR, FAR)\n" + BUILD,
            }
        )
        (folder / "here/net.py").symlink_to(folder / "there/net.py")
        assert value(folder / "here/net.py") == (1, 2)

    def test_no_plain_name_is_taken(self, lay):
        before = types.ModuleType("helper_taken")
        sys.modules["helper_taken"] = before
        try:
            folder = lay(
                {
                    "helper_taken.py": "VALUE = 1",
                    "net.py": "from helper_taken import VALUE\n" + BUILD,
                }
            )
            assert value(folder / "net.py") == 1
            assert sys.modules["helper_taken"] is before
        finally:
            del sys.modules["helper_taken"]

"""`hub:OWNER/REPO:ENTRY` through torch.hub, or `hub:path/to/checkout:ENTRY` from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.core.model import LoadedModel
from inferometer.core.references import quoted
from inferometer.core.shown import shown
from inferometer.host.userfiles import as_by_itself, importable
from inferometer.models.building import image_inputs, is_module, seed_generators, settled
from inferometer.models.failures import building
from inferometer.models.options import Options
from inferometer.models.paths import is_file, is_folder, path_of

HUBCONF = "hubconf.py"


class HubSource:
    """Runs the entry points of a repository's `hubconf.py`."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check the form, and that a local checkout is one.

        Raises:
            ModelReferenceError: it is not.
        """
        del options
        repository, _ = _split(target)
        folder = _folder(repository)
        if folder is None:
            owner, _, rest = repository.partition("/")
            if not owner or not rest or "/" in rest:
                raise ModelReferenceError(
                    f"hub:{shown(target)}: {quoted(repository)} is neither OWNER/REPO nor a folder"
                )
        elif not is_file(folder / HUBCONF):
            raise ModelReferenceError(
                f"hub:{shown(target)}: there is no file {shown(folder / HUBCONF)}"
            )

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Run the entry point. A repository is downloaded once and trusted: the user named it.

        Raises:
            WorkloadError: (bad_model) it cannot be had, or the entry point raised or gave
                something that is not a module.
        """
        chosen, what = Options.read(options).anchored(), f"hub:{target}"
        with as_by_itself(Path(HUBCONF)) as said:
            network = _run(target, chosen, seed)
        if not is_module(network):
            raise WorkloadError(
                "bad_model", f"{what} gave a {type(network).__name__}, not a torch.nn.Module"
            )
        inputs, notes = image_inputs(network, chosen)
        label = f"as the entry point made them, seed {seed}"
        return settled(
            network,
            what=what,
            source="hub",
            inputs=inputs,
            weights="pretrained (hub)" if chosen.pretrained else label,
            options=chosen,
            notes=(*notes, *said),
        )


def _run(target: str, chosen: Options, seed: int) -> object:
    import torch

    repository, entry = _split(target)
    found = _folder(repository)
    folder = None if found is None else found.absolute()
    if folder is not None:
        importable(folder)
    arguments = {**chosen.builder, **({"pretrained": True} if chosen.pretrained else {})}
    with building(f"hub:{target}"):
        seed_generators(seed)
        network: object = torch.hub.load(  # type: ignore[no-untyped-call]
            repository if folder is None else str(folder),
            entry,
            source="github" if folder is None else "local",
            trust_repo=True,
            verbose=False,
            **arguments,
        )
    if folder is None and is_module(network):
        _keep_importable(network)
    return network


def _keep_importable(network: Any) -> None:  # noqa: ANN401 - a torch module
    """Let a downloaded repository import its files in the first call too."""
    import torch

    downloads = Path(torch.hub.get_dir()).resolve()
    for module in network.modules():
        code = getattr(type(module).forward, "__code__", None)
        file = None if code is None else Path(code.co_filename)
        if file is not None and file.is_relative_to(downloads):
            importable(downloads / file.relative_to(downloads).parts[0])
            return


def _split(target: str) -> tuple[str, str]:
    repository, _, entry = target.rpartition(":")
    if not repository or not entry.isidentifier():
        raise ModelReferenceError(
            f"hub:{shown(target)} names no entry point; write hub:OWNER/REPO:ENTRY, "
            "or hub:path/to/checkout:ENTRY"
        )
    return repository, entry


def _folder(repository: str) -> Path | None:
    """The folder of a local checkout; None for a repository on GitHub."""
    folder = path_of(repository)
    is_local = repository.startswith(("./", "../", "/", "~")) or is_folder(folder)
    return folder if is_local else None

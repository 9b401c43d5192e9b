"""`hub:OWNER/REPO:ENTRY` through torch.hub, or `hub:path/to/checkout:ENTRY` from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.core.model import LoadedModel
from inferometer.models.building import image_inputs, is_module, seed_generators, settled
from inferometer.models.failures import building
from inferometer.models.options import Options


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
                    f"hub:{target}: {repository!r} is neither OWNER/REPO nor a folder"
                )
        elif not (folder / "hubconf.py").is_file():
            raise ModelReferenceError(f"hub:{target}: there is no file {folder / 'hubconf.py'}")

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Run the entry point. A repository is downloaded once and trusted: the user named it.

        Raises:
            WorkloadError: (bad_model) it cannot be had, or the entry point raised or gave
                something that is not a module.
        """
        chosen, what = Options.read(options), f"hub:{target}"
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
            notes=notes,
        )


def _run(target: str, chosen: Options, seed: int) -> object:
    import torch

    repository, entry = _split(target)
    folder = _folder(repository)
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
    return network


def _split(target: str) -> tuple[str, str]:
    repository, _, entry = target.rpartition(":")
    if not repository or not entry.isidentifier():
        raise ModelReferenceError(
            f"hub:{target} names no entry point; write hub:OWNER/REPO:ENTRY, "
            "or hub:path/to/checkout:ENTRY"
        )
    return repository, entry


def _folder(repository: str) -> Path | None:
    """The folder of a local checkout; None for a repository on GitHub."""
    folder = Path(repository).expanduser()
    is_local = repository.startswith(("./", "../", "/", "~")) or folder.is_dir()
    return folder if is_local else None

"""The configs of a dataset, named where one that is asked for is not there."""

from datasets import get_dataset_config_names

from dataset_builder.files.nearest import nearest


def why_unopened(name: str, config: str | None, revision: str | None, error: ValueError) -> str:
    """Why `datasets` has not opened a config of a folder or a Hub dataset: there is none of that name, or `error`."""
    said = f"cannot be read: {' '.join(str(error).split())}"
    try:
        names = get_dataset_config_names(name, revision=revision)
    except ValueError:
        return said
    if config is None or config in names:
        return said
    return f"no config {config!r}{nearest(config, names)}; it has {', '.join(names)}"

"""The layout of a folder of images: its files, splits and classes, and the files left out."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autogan.core.arrays import Attributes, Labels
from autogan.core.errors import ConfigError, printable
from autogan.core.text import counted, natural
from autogan.data.decoding import OTHER_SUFFIXES, SUFFIXES
from autogan.data.label_file import read_label_file
from autogan.data.packed import LABELS, read_labels

Parts = tuple[str, ...]  # of a file's path below the folder

_TRAIN = ("train", "training")
_TEST = ("test", "testing")
_VALIDATION = ("val", "valid", "validation")
_SHOWN = 5  # names to list


@dataclass(frozen=True)
class Part:
    """One split of a folder.

    Attributes:
        root: the folder of the split.
        files: below the root, sorted.
        labels: of the files, int64 [N] in 0..K-1, or attributes, uint8 [N, A]; None without.
        names: of the classes or attributes, if folders or a file of labels name them.
        unlabelled: why there are no classes, in words; empty if there are.
        notes: for the user, on the classes.
    """

    root: Path
    files: tuple[Parts, ...]
    labels: Labels | Attributes | None
    names: tuple[str, ...]
    unlabelled: str = ""
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """The files' paths."""
        return [self.root.joinpath(*parts) for parts in self.files]


@dataclass(frozen=True)
class Layout:
    """The splits of a folder, and notes for the user on how they were found."""

    train: Part
    test: Part | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Tree:
    """All files below a folder with the suffix of a picture.

    Attributes:
        files: that can be read, sorted.
        others: the number of files with each suffix that cannot be read.
        notes: on links.
    """

    files: tuple[Parts, ...]
    others: Counter[str]
    notes: tuple[str, ...]


def layout_of(root: Path, label_file: Path | None = None) -> Layout:
    """Find the splits and classes of the images below a folder.

    Args:
        root: the folder.
        label_file: the file of the images' labels; None for dataset.json or the sub-folders.

    Raises:
        ConfigError: if there are no images, the folders are ambiguous, or the file does not match
            the images.
    """
    tree = files_below(root)
    if not tree.files:
        others = f" ({endings(tree.others)} with other suffixes)" if tree.others else ""
        raise ConfigError(
            "dataset",
            f"folder:{root}: no images there{others}; known suffixes: {' '.join(sorted(SUFFIXES))}",
        )
    notes = [*tree.notes]
    if tree.others:
        notes.append(f"left out {endings(tree.others)} with suffixes that cannot be read")
    train_name, test_name, more = _splits(root, tree.files)
    splits = {"": tree.files}  # by folder name, the training split first
    if train_name is not None:
        names = [name for name in (train_name, test_name) if name is not None]
        splits = {name: _below(tree.files, name) for name in names}
    if label_file is None:
        parts = [_part(root / name, files) for name, files in splits.items()]
        _check_alike(root, parts)
    else:
        parts = _parts_of_file(root, label_file, tree.files, splits)
        notes.append(f"labels come from {label_file}, not from {LABELS} or sub-folders")
    return Layout(parts[0], parts[1] if len(parts) > 1 else None, (*notes, *more))


def files_below(root: Path) -> Tree:
    """Find all pictures below a folder; links to folders are followed.

    Hidden files and folders are left out, and also pipes and the like. Broken links count: reading
    them reports the problem. A link back to a folder above it is not followed; a link below another
    link is followed only to folders that are not read yet, so that the walk ends.

    Raises:
        ConfigError: naming a folder that cannot be listed.
    """
    files: list[Parts] = []
    others: Counter[str] = Counter()
    back: list[Parts] = []
    begun = _identity(str(root))
    seen = Counter([begun])
    # A folder, its name below the root, the folders above it, and whether a link led to it.
    left: list[tuple[str, Parts, frozenset[tuple[int, int]], bool]] = [
        (str(root), (), frozenset([begun]), False)
    ]
    while left:
        folder, parts, above, linked = left.pop()
        for entry in _entries(folder):
            name = (*parts, entry.name)
            ending = os.path.splitext(entry.name)[1].lower()
            if os.path.isdir(entry.path):
                identity, link = _identity(entry.path), entry.is_symlink()
                if link and (identity in above or (linked and seen[identity])):
                    back.append(name)
                    continue
                seen[identity] += 1
                left.append((entry.path, name, above | {identity}, linked or link))
            elif ending in SUFFIXES and (_is_file(entry.path) or not os.path.exists(entry.path)):
                files.append(name)
            elif ending in OTHER_SUFFIXES and _is_file(entry.path):
                others[ending] += 1
    notes = []
    if back:
        what = counted(len(back), "linked folder")
        lead = "leads" if len(back) == 1 else "lead"
        where = _listed("/".join(parts) for parts in back)
        notes.append(f"left out {what} that {lead} back to folders read anyway ({where})")
    if twice := sum(count > 1 for count in seen.values()):
        which = "folder is" if twice == 1 else "folders are"
        notes.append(f"{twice:,} {which} read more than once, because of links")
    return Tree(tuple(sorted(files)), others, tuple(notes))


def endings(others: Counter[str]) -> str:
    """``3 files (2 .heic, 1 .tga)``."""
    shown = ", ".join(f"{count:,} {ending}" for ending, count in others.most_common())
    return f"{counted(sum(others.values()), 'file')} ({shown})"


def _entries(folder: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError as error:
        raise ConfigError("dataset", f"{folder} cannot be read ({error.strerror})") from error


def _identity(folder: str) -> tuple[int, int]:
    found = os.stat(folder)
    return found.st_dev, found.st_ino


def _is_file(path: str) -> bool:
    return os.path.isfile(path)


def _below(files: Iterable[Parts], name: str) -> tuple[Parts, ...]:
    return tuple(parts[1:] for parts in files if len(parts) > 1 and parts[0] == name)


def _listed(names: Iterable[str]) -> str:
    """The first few names, printable, and the number of the others."""
    known = list(names)
    more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
    return ", ".join(map(printable, known[:_SHOWN])) + more


def _folders(names: Iterable[str]) -> str:
    return _listed(f"{name}/" for name in names)


def _splits(root: Path, files: Sequence[Parts]) -> tuple[str | None, str | None, list[str]]:
    """The sub-folders of the training and test split, if there are any, and notes.

    ``train/`` is a class if next to it are sub-folders of images whose names mean no split.

    Raises:
        ConfigError: if ``train/`` may be a split or a class.
    """
    counts = Counter(parts[0] for parts in files if len(parts) > 1)
    known = {name: _kind(name) for name in sorted(counts)}
    train = [name for name, kind in known.items() if kind == "train"]
    test = [name for name, kind in known.items() if kind == "test"]
    validation = [name for name, kind in known.items() if kind == "val"]
    others = [name for name, kind in known.items() if kind is None]
    unseen = test + validation
    if not train:
        return None, None, _no_training(root, files, unseen, others)
    nested = any(len(parts) > 2 and parts[0] in train for parts in files)
    if others and not nested and not unseen and len(train) == 1:
        return None, None, [f"{train[0]}/ is read as a class, like {_folders(others)}"]
    if others and not (nested and unseen):
        either = "splits or classes" if unseen else "a split or a class"
        raise _unclear(
            root,
            f"{_folders([*train, *unseen])} may be {either} next to {_folders(others)}",
            f"rename it if it is a class; else move {_folders(others)} elsewhere",
        )
    for several in (train, test, [] if test else validation):
        if len(several) > 1:
            raise _unclear(root, f"{_folders(several)} mean the same split", "keep one of them")
    chosen = next(iter(test or validation), None)
    left = [name for name in unseen if name != chosen] + others
    notes = [_left_out(counts, name, chosen) for name in left]
    if strays := [parts[0] for parts in files if len(parts) == 1]:
        where = counted(len(strays), "picture")
        notes.append(f"left out {where} outside of {train[0]}/ ({_listed(strays)})")
    if chosen is not None and chosen not in test:
        notes.append(f"the test images are those in {printable(chosen)}/")
    return train[0], chosen, notes


def _kind(name: str) -> str | None:
    """The split that a folder's name means, in upper or lower case; None if it means no split."""
    for kind, names in (("train", _TRAIN), ("test", _TEST), ("val", _VALIDATION)):
        if name.casefold() in names:
            return kind
    return None


def _no_training(
    root: Path, files: Sequence[Parts], unseen: Sequence[str], others: Sequence[str]
) -> list[str]:
    """Notes for a root without a folder train: folders with other splits' names are classes."""
    empty = [entry.name for entry in _entries(str(root)) if _kind(entry.name) == "train"]
    if unseen and empty:
        raise ConfigError(
            "dataset",
            f"folder:{root}: {printable(empty[0])}/ contains no images, unlike {_folders(unseen)}; "
            "put the training images there",
        )
    if len(unseen) > 1 and not others:
        raise _unclear(root, f"{_folders(unseen)} without train/", "call the training folder train")
    for name in unseen:
        inner = {parts[1] for parts in files if len(parts) > 2 and parts[0] == name}
        if shared := sorted(inner.intersection(others)):
            raise _unclear(
                root,
                f"{printable(name)}/ contains the classes {_listed(shared)} too",
                f"move {_folders(others)} into train/",
            )
    if unseen and not others:
        return [f"the images in {_folders(unseen)} are read, because there is no train/"]
    if unseen:
        read = f"{_folders(unseen)} {'is' if len(unseen) == 1 else 'are'} read as "
        return [f"{read}{'a class' if len(unseen) == 1 else 'classes'}, because there is no train/"]
    return []


def _left_out(counts: Counter[str], name: str, chosen: str | None) -> str:
    kept = f"{printable(chosen)}/ is the test split" if chosen else "not a split"
    if _kind(name) is None:
        kept = "not a split"
    return f"left out {counted(counts[name], 'file')} in {printable(name)}/ ({kept})"


def _unclear(root: Path, problem: str, remedy: str) -> ConfigError:
    return ConfigError(
        "dataset", f"folder:{root}: {problem}; {remedy}, or give the folder of the training images"
    )


def _part(root: Path, files: tuple[Parts, ...]) -> Part:
    """A split with its classes, from dataset.json or the sub-folders."""
    packed = root / LABELS
    notes: list[str] = []
    if os.path.isfile(packed):
        form, given = read_labels(packed, ["/".join(parts) for parts in files])
        if form == "labels":
            return Part(root, files, np.array(given, np.int64), ())
        if form == "none":
            return Part(root, files, None, (), f"{LABELS} says that there are no labels")
        notes.append(f"{LABELS} is not used: it has no labels in the format of StyleGAN's tool")
    names = sorted({parts[0] for parts in files if len(parts) > 1}, key=natural)
    strays = [parts[0] for parts in files if len(parts) == 1]
    if len(names) < 2:
        why = "no sub-folders for classes"
        if names and not strays:
            why = f"all images are in {printable(names[0])}/; to use its sub-folders as classes, "
            why += f"give folder:{root / names[0]}"
        return Part(root, files, None, (), why, tuple(notes))
    if strays:
        are = "is" if len(strays) == 1 else "are"
        why = f"{counted(len(strays), 'picture')} ({_listed(strays)}) {are} next to the folders "
        why += f"{_folders(names)}; move {'it' if len(strays) == 1 else 'them'} into one"
        return Part(root, files, None, (), why, (*notes, f"no classes: {why}"))
    if [f"{number:05d}" for number in range(len(names))] == names:
        notes.append(
            f"{_folders(names)} are read as classes; if StyleGAN's tool packed them, "
            f"put its {LABELS} next to them"
        )
    number = {name: i for i, name in enumerate(names)}
    labels = np.array([number[parts[0]] for parts in files], np.int64)
    return Part(root, files, labels, tuple(map(printable, names)), "", tuple(notes))


def _parts_of_file(
    root: Path, path: Path, files: Sequence[Parts], splits: Mapping[str, tuple[Parts, ...]]
) -> list[Part]:
    """The splits with labels from a file."""
    below = [
        ["/".join(filter(None, (name, *parts))) for parts in own] for name, own in splits.items()
    ]
    names, labels = read_label_file(path, ["/".join(parts) for parts in files], below)
    return [
        Part(root / name, files, own, names)
        for (name, files), own in zip(splits.items(), labels, strict=True)
    ]


def _check_alike(root: Path, parts: Sequence[Part]) -> None:
    """Check that both splits have the same classes, if there are two splits.

    Raises:
        ConfigError: if the classes differ.
    """
    if len(parts) < 2:
        return
    train, test = parts
    if train.names != test.names or (train.labels is None) != (test.labels is None):
        raise ConfigError(
            "dataset",
            f"folder:{root}: {printable(train.root.name)}/ has the classes {_classes(train)}, "
            f"{printable(test.root.name)}/ {_classes(test)}; they must be the same",
        )


def _classes(part: Part) -> str:
    numbered = "none" if part.labels is None else f"0 to {part.labels.max()}"
    return ", ".join(part.names) or numbered

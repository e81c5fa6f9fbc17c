# SPDX-License-Identifier: GPL-2.0
"""What the Python scripts of the project share: where things are, and a name for all
inputs of a run, by which a run is known again. bash has common.sh."""
import glob
import hashlib
import os

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.environ.get('MTETAGRAM_CACHE') or os.path.join(
    os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'mtetagram')
PRODUCTS = os.path.join(TOP, 'build/products')


def files_below(path):
    """The files of a path, in order; of the whole checkout without what is built."""
    if os.path.isfile(path):
        yield path
    for here, dirs, files in os.walk(path):
        dirs[:] = sorted(d for d in dirs if d not in ('.git', 'build', '__pycache__'))
        yield from (os.path.join(here, f) for f in sorted(files))


def hash_file(path):
    """The hash of a file's contents."""
    with open(path, 'rb') as f:
        return hashlib.file_digest(f, 'sha256').digest()


def add_path(digest, path):
    """Add a file, all files of a directory, or a built thing to the digest."""
    real = os.path.realpath(path)
    if os.path.dirname(path) == PRODUCTS and path != real:
        # What is built is kept under a name that is the hash of its inputs.
        digest.update(os.path.relpath(real, CACHE).encode())
        return
    for file in files_below(path):
        digest.update(os.path.relpath(file, TOP).encode())
        if os.path.exists(file):
            digest.update(hash_file(file))


def key_of(what, inputs):
    """A name for exactly this run: what is run, and the contents of its inputs, which are
    files, directories or patterns below TOP. None if one of them is missing."""
    digest = hashlib.sha256(repr(what).encode())
    for name in inputs:
        paths = sorted(glob.glob(os.path.join(TOP, name)))
        if not paths or not all(map(os.path.exists, paths)):
            return None
        for path in paths:
            add_path(digest, path)
    return digest.hexdigest()

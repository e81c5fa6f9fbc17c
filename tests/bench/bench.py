# SPDX-License-Identifier: GPL-2.0
"""What all benchmarks share: the schema of results, the table, the file.

A benchmark NAME is the program tests/bench/NAME/run, started by `make bench-NAME`.
It measures us and a named peer in the same run, and ends with

    table = Table('NAME')
    table.add('4 KiB write, lz4', 'instructions', ours, theirs, 'zram',
              mode='icount', how='fio, 8000 operations, 60 % compressible')
    table.finish()

which prints the table and writes build/bench/NAME.json: an array of objects with
the keys of KEYS, and more if given. spread is the distance of the largest repeat from the
smallest, as a share of the smallest; null if there were no repeats.

guest() boots a guest and runs a script in it, which prints lines "bench NAME VALUE...";
guest() returns the values.
"""
import functools
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../scripts'))
# pylint: disable=wrong-import-position
from common import CACHE, TOP, hash_file  # noqa: E402

CROSS = os.environ.get('CROSS_COMPILE', 'aarch64-linux-gnu-')
CORPUS_MIB = 128
KEYS = ('measure', 'unit', 'ours', 'peer', 'peer_name', 'ratio', 'mode', 'how',
        'repeats', 'spread', 'seed', 'versions')
# icount: guest time that counts instructions; native: time or counts on the host,
# User Mode Linux included; guest: anything else read in the guest, wall time too.
MODES = ('icount', 'native', 'guest')


def products(*names):
    """Build what guests are made of, see scripts/products.sh."""
    subprocess.run([os.path.join(TOP, 'scripts/products.sh'), *names], check=True)


def output(*command):
    """Standard output of a command that has to succeed."""
    done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f'{done.stdout}\nstatus {done.returncode} of {command}')
    return done.stdout


@functools.cache
def versions():
    """What was measured with what."""
    with open(os.path.join(TOP, 'versions.mk'), encoding='utf-8') as f:
        pins = dict(line.split(' = ') for line in f.read().split('\n') if ' = ' in line)
    found = {'project': output('git', 'describe', '--always', '--dirty').strip(),
             'kernel': pins['KVER'], 'qemu': pins['QEMU_PACKAGE_VERSION'],
             'gcc': output(f'{CROSS}gcc', '-dumpfullversion').strip()}
    packages = os.path.join(TOP, 'build/products/rootfs/packages')
    if os.path.exists(packages):
        with open(packages, encoding='utf-8') as f:
            found |= {words[0]: words[1] for words in (line.split('_') for line in f)
                      if words[0] in ('fio', 'stress-ng')}
    return found


def heap_pages():
    """Path and description of pages of live heaps. The pages are collected anew when
    pool/corpus changes, or a program whose heap it takes."""
    program = os.path.join(TOP, 'tests/bench/pool/corpus')
    key = hashlib.sha256()
    with open(program, 'rb') as f:
        key.update(f.read())
    for name in ('python3', 'node', 'perl', 'bash', 'aarch64-linux-gnu-gcc'):
        if shutil.which(name):
            key.update(output(name, '--version').encode())
    directory = os.path.join(CACHE, f'heaps-{key.hexdigest()[:16]}-{CORPUS_MIB}')
    path, about = os.path.join(directory, 'corpus'), os.path.join(directory, 'about')
    if not os.path.exists(about):
        os.makedirs(directory, exist_ok=True)
        print('== collecting pages of live heaps', file=sys.stderr)
        text = output(program, path, str(CORPUS_MIB),
                      os.path.realpath(os.path.join(TOP, 'build/products/kernel-release')))
        digest = hash_file(path).hex()
        with open(about, 'w', encoding='utf-8') as f:
            f.write(f'pages {text.strip()}, sha256 {digest[:16]}')
    with open(about, encoding='utf-8') as f:
        return path, f.read()


def guest_files(name, programs=(), corpus_mib=0):
    """A fresh directory for the guest's /mtetagram/files: C programs, built for it, and
    so much of the heap pages. Returns it and what the pages are."""
    directory = os.path.join(TOP, 'build/bench', f'{name}-files')
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    for source in programs:
        target = os.path.splitext(os.path.basename(source))[0]
        output(f'{CROSS}gcc', '-O2', '-std=gnu11', '-Wall', '-Wextra', '-Werror',
               '-static', '-o', os.path.join(directory, target), source)
    if not corpus_mib:
        return directory, None
    path, about = heap_pages()
    with open(path, 'rb') as f, open(os.path.join(directory, 'corpus'), 'wb') as copy:
        copy.write(f.read(corpus_mib << 20))
    return directory, about


def guest_module(files, *sources):
    """Build a module of these sources, the first of which names it, for the guest's
    kernel, and put it into the directory."""
    name = os.path.splitext(os.path.basename(sources[0]))[0]
    work = os.path.join(TOP, 'build/bench', f'{name}-module')
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    for source in sources:
        shutil.copy(source, work)
    kernel = os.path.realpath(os.path.join(TOP, 'build/products/kernel-release'))
    environment = {k: v for k, v in os.environ.items() if not k.startswith('MAKE')}
    subprocess.run(['make', '-s', '-C', kernel, f'M={work}', 'ARCH=arm64',
                    'LOCALVERSION=', f'CROSS_COMPILE={CROSS}', 'modules'],
                   check=True, env=environment, stdout=sys.stderr)
    shutil.copy(os.path.join(work, f'{name}.ko'), files)


def guest_output(name, script, *options, icount=True):
    """Boot a guest, by default with instruction-counted time, run the script in it,
    and return what it prints. Output and logs stay in build/NAME."""
    command = [os.path.join(TOP, 'tests/qemu/run'), '--name', name,
               *(('--smp', '1', '--icount') if icount else ()), *options,
               *([script] if isinstance(script, str) else script)]
    print(f'== {name}: booting', file=sys.stderr, flush=True)
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        sys.exit(f'{done.stdout}\n{name}: the guest ended with status {done.returncode}')
    return done.stdout


def guest(name, script, *options, icount=True):
    """The same, for scripts that say what they measured: {name: [number, ...]}."""
    said = guest_output(name, script, *options, icount=icount)
    lines = (line.split() for line in said.split('\n') if line.startswith('bench '))
    return {words[1]: [float(w) for w in words[2:]] for words in lines}


def percentile(values, percent):
    """The smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def spread(values):
    """The distance of the largest value from the smallest, as a share of the smallest."""
    return round(max(values) / min(values) - 1, 6)


def as_percent(share):
    """A spread as text; of several, the largest."""
    if isinstance(share, list):
        share = max(share)
    return '-' if share is None else f'{share * 100:.2g} %'


def complaint(row):
    """What is wrong with a row of a file, or None."""
    missing = set(KEYS) - set(row)
    if missing:
        return f'no {", ".join(sorted(missing))}'
    if not all(isinstance(row[k], (int, float)) and row[k] > 0
               for k in ('ours', 'peer', 'ratio', 'repeats')):
        return 'ours, peer, ratio and repeats have to be numbers above 0'
    if row['mode'] not in MODES:
        return f'mode {row["mode"]}'
    shares = (row['peer'] / row['ours'], row['ours'] / row['peer'])
    if not any(math.isclose(row['ratio'], share, rel_tol=0.001, abs_tol=1e-4)
               for share in shares):
        return f'ratio {row["ratio"]} of {row["ours"]} and {row["peer"]}'
    return None


def curve(plot, x, x_name, series, figures=False):
    """A point of the plot with that title, at x: the row's ratio, or with figures the
    figures of us and of the peer. A line joins the points of a series."""
    return {'plot': plot, 'x': x, 'x_name': x_name, 'series': series, 'figures': figures}


class Table:
    """Results of one benchmark. A ratio above 1 always means that our figure is better."""

    def __init__(self, name):
        self.name, self.rows = name, []

    def add(self, measure, unit, ours, peer, peer_name, *, mode, how,
            better='lower', **more):
        """One comparison. better says whether the lower or the higher figure is the better
        one. more may hold repeats, spread and seed, which are 1, None and 1 by default. The
        report draws lines for curves=[curve(...), ...], and a distribution for
        distribution={'ours': [[percent, value], ...], 'peer': ...} with
        distribution_of=what."""
        if mode not in MODES or better not in ('lower', 'higher'):
            raise ValueError(f'{measure}: mode {mode}, better {better}')
        if ours <= 0 or peer <= 0:
            raise ValueError(f'{measure}: no figure ({ours} against {peer})')
        ratio = peer / ours if better == 'lower' else ours / peer
        self.rows.append(dict(zip(KEYS, (measure, unit, ours, peer, peer_name,
                                         round(ratio, 4), mode, how, 1, None, 1,
                                         versions()))) | more)

    def text(self):
        """The table for the terminal, the worst ratio first."""
        lines = [('measure', 'unit', 'ours', 'peer', 'ratio', 'spread', 'against', 'mode')]
        for row in sorted(self.rows, key=lambda r: r['ratio']):
            lines.append((row['measure'], row['unit'], f"{row['ours']:.6g}",
                          f"{row['peer']:.6g}", f"{row['ratio']:.3f}",
                          as_percent(row['spread']), row['peer_name'], row['mode']))
        widths = [max(map(len, column)) for column in zip(*lines)]
        return '\n'.join('  '.join(
            cell.rjust(w) if 2 <= i <= 5 else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(line, widths))).rstrip()
            for line in lines)

    def finish(self):
        """Print the table and write the file."""
        if not self.rows:
            raise ValueError(f'{self.name}: nothing was measured')
        path = os.path.join(TOP, 'build/bench', f'{self.name}.json')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + '.tmp', 'w', encoding='utf-8') as f:
            json.dump(self.rows, f, indent=1)
            f.write('\n')
        os.replace(path + '.tmp', path)
        print(self.text())
        print(f'written: {os.path.relpath(path, TOP)}')

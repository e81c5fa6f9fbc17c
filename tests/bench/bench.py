# SPDX-License-Identifier: GPL-2.0
"""What all benchmarks share: the one schema of results, the table, the file.

A benchmark NAME is the program tests/bench/NAME/run, started by `make bench-NAME`.
It measures us and a named peer in the same run, and ends with

    table = Table('NAME')
    table.add('4 KiB write, lz4', 'instructions', ours, theirs, 'zram',
              mode='icount', how='fio, 8000 operations, 60 % compressible')
    table.finish()

which prints the table and writes build/bench/NAME.json: an array of objects with
the keys of KEYS, and more if given (repeats, spread, seed, versions, ...).

What runs in a guest is a script that prints lines "bench NAME VALUE..."; guest() boots
it and returns them.
"""
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEYS = ('measure', 'unit', 'ours', 'peer', 'peer_name', 'ratio', 'mode', 'how')
# icount: guest time that counts instructions; native: time or counts on the host,
# User Mode Linux included; guest: anything else read in the guest, wall time too.
MODES = ('icount', 'native', 'guest')


def products(*names):
    """Build what guests are made of, see scripts/products.sh."""
    subprocess.run([os.path.join(TOP, 'scripts/products.sh'), *names], check=True)


def guest(name, script, *options):
    """Boot a guest with instruction-counted time, run the script in it, and return
    what it says: {name: [number, ...]}. Output and logs stay in build/NAME."""
    command = [os.path.join(TOP, 'tests/qemu/run'), '--name', name, '--smp', '1',
               '--icount', *options, script]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        sys.exit(f'{done.stdout}\n{name}: the guest ended with status {done.returncode}')
    lines = (line.split() for line in done.stdout.split('\n')
             if line.startswith('bench '))
    return {words[1]: [float(w) for w in words[2:]] for words in lines}


def percentile(values, percent):
    """The smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


class Table:
    """Results of one benchmark. A ratio above 1 always means that ours is better."""

    def __init__(self, name):
        self.name, self.rows = name, []

    def add(self, measure, unit, ours, peer, peer_name, *, mode, how,
            better='lower', **more):
        """One comparison. better says which of two figures is the better one."""
        if mode not in MODES or better not in ('lower', 'higher'):
            raise ValueError(f'{measure}: mode {mode}, better {better}')
        if ours <= 0 or peer <= 0:
            raise ValueError(f'{measure}: no figure ({ours} against {peer})')
        ratio = peer / ours if better == 'lower' else ours / peer
        self.rows.append(dict(zip(KEYS, (measure, unit, ours, peer, peer_name,
                                         round(ratio, 4), mode, how))) | more)

    def text(self):
        """The table for the terminal, the worst ratio first."""
        lines = [('measure', 'unit', 'ours', 'peer', 'ratio', 'against', 'mode')]
        for row in sorted(self.rows, key=lambda r: r['ratio']):
            lines.append((row['measure'], row['unit'], f"{row['ours']:.6g}",
                          f"{row['peer']:.6g}", f"{row['ratio']:.3f}",
                          row['peer_name'], row['mode']))
        widths = [max(map(len, column)) for column in zip(*lines)]
        return '\n'.join('  '.join(
            cell.rjust(w) if 2 <= i <= 4 else cell.ljust(w)
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

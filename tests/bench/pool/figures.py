# SPDX-License-Identifier: GPL-2.0
"""Figures from the output of guest.sh."""

# The names of guest.sh, and the names in tables.
SPEED = {'write': 'random write', 'read': 'random read', 'overwrite': 'overwrite',
         'discard': 'discard', 'slot-free': 'swap slot free',
         'write-random': 'incompressible write', 'read-random': 'incompressible read',
         'overwrite-random': 'incompressible overwrite',
         'slot-free-random': 'incompressible slot free',
         'write-same': 'same-filled write', 'read-same': 'same-filled read',
         'overwrite-same': 'same-filled overwrite',
         'slot-free-same': 'same-filled slot free'}
PHASES = {'store': 'store', 'load': 'load', 'overwrite': 'replace', 'free': 'free',
          'compress-and-overwrite': 'compress and replace',
          'load-and-decompress': 'load and decompress'}


def device_lines(text):
    """(device, algorithm, measure) -> {name: number}."""
    found = {}
    for words in map(str.split, text.split('\n')):
        if len(words) > 3 and '=' in words[3]:
            found[tuple(words[:3])] = {k: int(v) for k, _, v in
                                       (w.partition('=') for w in words[3:])}
    return found


def mean(values, operations):
    """The mean of all operations. Fails if not all were done."""
    if values['ops'] != operations or values['error']:
        raise ValueError(f'not all operations were done: {values}')
    return values['total'] / operations


def pool_lines(text):
    """algorithm, name -> numbers, and for lines of name=value pairs a dict."""
    found = {}
    for line in text.split('\n'):
        words = line.split()
        if len(words) < 4 or words[0] != 'pool':
            continue
        values = [int(w) for w in words[3:] if '=' not in w]
        named = {k: int(v) for k, _, v in (w.partition('=') for w in words[3:]) if v}
        found[words[1], words[2]] = (values, named)
    return found

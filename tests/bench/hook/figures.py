# SPDX-License-Identifier: GPL-2.0
"""Figures from the output of faults.sh and reserve.sh."""
import sys


def loops(said, name):
    """The loops of a figure in which the work was as intended: each tagged page and no
    other page was reserved, in a block that had tags before. For a peer, all loops."""
    kind = name.split('-', maxsplit=1)[0]
    counters = [said.get(f'{kind}-{what}') for what in ('reserved', 'evicted', 'tagged')]
    wanted = (said['pages'][0] if kind == 'mte' else 0, 0, 0)
    if not counters[0]:
        return said[name]
    found = [value for value, *grown in zip(said[name], *counters)
             if tuple(grown) == wanted]
    if 2 * len(found) <= len(said[name]):
        sys.exit(f'{name}: only in {len(found)} of {len(said[name])} loops what was to be '
                 'measured')
    return found

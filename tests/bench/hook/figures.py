# SPDX-License-Identifier: GPL-2.0
"""What the scripts of this benchmark print, as figures; see faults.sh and reserve.sh."""
import sys


def loops(said, name):
    """The loops of a figure in which what was to be measured happened: each tagged page
    was reserved, no other, in a block that had tags before. All, for a peer."""
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

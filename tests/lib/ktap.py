# SPDX-License-Identifier: GPL-2.0
"""The results of tests that run on the host, as KTAP on stdout, for scripts/check to
count. For Python; bash has ktap.sh.

    results = ktap.Results(plan)
    results.add(passed, name, details)
    sys.exit(results.end())
"""


def note(text):
    """Lines for a reader."""
    print('\n'.join(f'# {line}' for line in text.split('\n')))


class Results:
    """Prints one line for each result; plan is how many there will be."""

    def __init__(self, plan):
        self.plan, self.number, self.failed = plan, 0, 0
        print(f'KTAP version 1\n1..{plan}')

    def add(self, passed, name, details=''):
        """One result. The details are shown if it is not ok."""
        self.number += 1
        if details and not passed:
            note(details)
        print(f'{"ok" if passed else "not ok"} {self.number} {name}')
        self.failed += not passed

    def end(self):
        """The exit status: 0 only if there are as many results as planned, and all ok."""
        if not self.number or self.number != self.plan:
            note(f'{self.number} results of {self.plan}')
            return 1
        return int(bool(self.failed))

"""``python -m bench [NAME ...] [--json FILE] [--quick]``: run benchmarks; exits 0 whatever the figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from bench import (
    ablation,
    access,
    backlog,
    browser,
    cache,
    compression,
    demo,
    editor,
    measure,
    monitoring,
    nodelay,
    nplus1,
    queue,
    robustness,
    segment,
    tables,
)
from bench.report import Report
from bench.whole_app import WHOLE_APP

BENCHES: dict[str, Callable[[bool], Report]] = {
    "ablation": ablation.run,
    "segment": segment.run,
    "measure": measure.run,
    "robustness": robustness.run,
    "demo": demo.run,
    **WHOLE_APP,
    "queue": queue.run,
    "backlog": backlog.run,
    "monitoring": monitoring.run,
    "compression": compression.run,
    "browser": browser.run,
    "tables": tables.run,
    "nodelay": nodelay.run,
    "nplus1": nplus1.run,
    "cache": cache.run,
    "access": access.run,
    "editor": editor.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(BENCHES)}; all by default")
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="write the figures of one benchmark as JSON"
    )
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that it runs")
    options = parser.parse_args()
    names = options.names or list(BENCHES)
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    if options.json and len(names) != 1:
        parser.error("--json takes the figures of one benchmark: name it")
    for name in names:
        report = BENCHES[name](options.quick)
        report.print()
        if options.json:
            report.save(options.json)


if __name__ == "__main__":
    main()

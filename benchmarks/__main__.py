"""Every figure that is quick to take, one after another."""

from benchmarks import archiving, backlog, ingest, ready, secrets, shape

for figure in (shape, ready, secrets, archiving, ingest, backlog):
    print(f"\n{(figure.__doc__ or '').strip()}")
    figure.measure()

"""Records of runs with samples that can be counted by hand."""

from helpers.evaluation import Record, RecordFile, Report, Sample

CONFIGURATION = {
    "strategy": {"name": "best_of_n", "budget": 9}, "model": {"name": "toy"},
}  # fmt: skip


def write(file, *records, **changes):
    with RecordFile(file, CONFIGURATION | changes) as out:
        for record in records:
            out.add(record)
    return Report(file)


def solved(index, right=True, **facts):
    return Record(index, f"{index + 1:016x}", right=right, **facts)


def batch(*samples):
    return tuple(Sample(*sample) for sample in samples)


FIVE = batch(("18", 0.9, 2, True), ("20", 0.8, 1, False), (None, 0.99, 2, False))
OTHER = batch(("7", 0.5, 3, False), ("8", 0.2, 1, True), ("9", 0.5, 1, False))

"""Labels for other programs: `python -m helpers.learning export --trl FILE`."""

import argparse

from .labels import export_trl


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m helpers.learning")
    commands = parser.add_subparsers(required=True, metavar="export")
    export = commands.add_parser("export", help="labelled steps for other programs")
    export.add_argument("--trl", required=True, metavar="FILE",
                        help="JSONL to write, for trl's PRMTrainer")  # fmt: skip
    export.add_argument("--labels", default="notebooks/runs/labels.jsonl",
                        help="rows of label_steps (%(default)s)")  # fmt: skip
    export.add_argument("--threshold", type=float, default=0.5,
                        help="a step of at least this value is good; TRL itself would "
                        "floor soft labels: int(0.9) is 0 (%(default)s)")  # fmt: skip
    args = parser.parse_args()
    try:
        rows = export_trl(args.labels, args.trl, args.threshold)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(f"Wrote {rows} rows to {args.trl}.")


if __name__ == "__main__":
    main()

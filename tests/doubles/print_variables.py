"""Stands in for the process of a template: tells which variables it can see."""

import json
import os

if __name__ == "__main__":
    print(json.dumps(" ".join(os.environ)))

"""Judges test files of triggers by their schema.

validate_tests.py SCHEMA, with one JSON object a line on standard input: {"name": ..., "data": ...}.
Writes for each line `NAME: good`, or `NAME: ` and the first fault. Ends with 1 if the schema itself is none.
"""

import json
import sys

import jsonschema


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    kind = jsonschema.Draft202012Validator
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as wrong:
        print(f"{sys.argv[1]} is no schema: {wrong.message}")
        return 1
    validator = kind(schema)
    for line in sys.stdin:
        one = json.loads(line)
        fault = jsonschema.exceptions.best_match(validator.iter_errors(one["data"]))
        words = "good" if fault is None else f"{fault.json_path}: {fault.message}".replace("\n", " ")
        print(f"{one['name']}: {words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

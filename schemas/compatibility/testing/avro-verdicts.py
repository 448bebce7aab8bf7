# For tests: reads one {"reader", "writer"} a line, writes the verdict of Debian's python3-avro, one a line.
import json
import sys

import avro.compatibility
import avro.errors
import avro.schema

checker = avro.compatibility.ReaderWriterCompatibilityChecker
for line in sys.stdin:
    pair = json.loads(line)
    try:
        reader = avro.schema.parse(json.dumps(pair["reader"]))
        writer = avro.schema.parse(json.dumps(pair["writer"]))
    except avro.errors.SchemaParseException as error:
        print(json.dumps({"invalid": str(error)[:200]}))
        continue
    result = checker().get_compatibility(reader, writer)
    compatible = result.compatibility is avro.compatibility.SchemaCompatibilityType.compatible
    print(json.dumps({"compatible": compatible, "kinds": [kind.name for kind in result.incompatibilities]}))

"""The mapping as a data contract of the Open Data Contract Standard (ODCS), version 3.1.0.

https://bitol-io.github.io/open-data-contract-standard/v3.1.0/
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import yaml

from rollcall.contracts.project import Contracts
from rollcall.mapping.approvals import Reviewed
from rollcall.mapping.fields import FeedMapping, Field, Mapping

_API_VERSION = "v3.1.0"
_STATUS = {"draft": "draft", "pilot": "proposed", "live": "active", "retired": "retired"}
"""The words of the standard for the stages of a source."""
_LOGICAL = {
    "date": "date",
    "time": "time",
    "datetime": "timestamp",
    "float": "number",
    "integer": "integer",
    "year": "integer",
    "bool": "boolean",
    "boolean": "boolean",
}
"""The types of the standard for those of layouts; all others are strings."""


def write_contract(
    contracts: Contracts, mapping: Mapping, reviewed: Sequence[Reviewed], version: str
) -> str:
    """Write the mapping of a source as YAML: an object for each layout of a feed.

    Args:
        contracts: the contracts of the project.
        mapping: the mapping of the source.
        reviewed: its staged columns with what was said of them.
        version: the version of Rollcall, whose models the contract speaks of.
    """
    source = mapping.source
    by_key = {item.field.key: item for item in reviewed}
    objects = (made for feed in mapping.feeds for made in _objects(contracts, feed, by_key))
    contract = {
        "apiVersion": _API_VERSION,
        "kind": "DataContract",
        "id": f"rollcall-mapping-{source.source_id}",
        "name": source.name,
        "version": version,
        "status": _STATUS.get(source.stage, source.stage),
        "description": {
            "purpose": f"What {source.name} delivers, and what is made of each column of it.",
        },
        "schema": list(objects),
    }
    return str(yaml.safe_dump(contract, sort_keys=False, allow_unicode=True, width=100))


def _objects(
    contracts: Contracts, feed: FeedMapping, by_key: dict[tuple[str, str, str], Reviewed]
) -> Iterator[dict[str, Any]]:
    fields = sorted((*feed.fields, *feed.unused), key=lambda f: (f.layout_version, f.position))
    tables = {layout.version: layout for layout in contracts.versions(feed.feed.feed)}
    for version, columns in groupby(fields, key=lambda field: field.layout_version):
        keys = [column.name for column, _ in tables[version].keys]
        yield {
            "name": f"{feed.feed.feed} {version}",
            "physicalName": tables[version].raw_table,
            "physicalType": "file",
            "logicalType": "object",
            "businessName": feed.feed.label or feed.feed.feed,
            "properties": [_property(field, keys, by_key.get(field.key)) for field in columns],
        }


def _property(field: Field, keys: Sequence[str], item: Reviewed | None) -> dict[str, Any]:
    kind = field.data_type.split(" ")[0]
    said: dict[str, Any] = {
        "name": field.column_name,
        "physicalName": field.column_name,
        "physicalType": field.data_type,
        "logicalType": _LOGICAL.get(kind, "string"),
        "description": field.meaning,
        "required": field.is_required,
        "classification": field.personal_data,
    }
    if field.column_name in keys:
        said |= {"primaryKey": True, "primaryKeyPosition": keys.index(field.column_name) + 1}
    if not item:
        return said
    own = {
        "stagedAs": field.staged_as,
        "neededBy": ", ".join(field.needed_by),
        "reviewStatus": item.status,
        "mappingSha256": field.sha256,
    }
    if item.review:
        own |= {
            "reviewedBy": item.review.reviewed_by,
            "reviewedOn": item.review.reviewed_on.isoformat(),
        }
    return said | {
        "transformSourceObjects": [f"{field.feed} {field.layout_version}"],
        "transformDescription": field.done or f"Not said: {field.problem}.",
        "customProperties": [
            {"property": name, "value": value} for name, value in own.items() if value
        ],
    }

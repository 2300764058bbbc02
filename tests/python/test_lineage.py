"""Lineage: from every staged file to those who read the tables; one page that needs no network."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import District


@pytest.fixture(scope="module")
def manifest(sample_run: tuple[District, list[int]]) -> Any:
    """What dbt knew of the project in the sample's last cycle."""
    path = sample_run[0].home / "target" / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8"))


def ancestors(manifest: Any, node: str) -> set[str]:
    """Everything that a node is made of."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        for parent in manifest["parent_map"][waiting.pop()]:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def test_every_consumer_has_an_owner_and_reaches_the_exports(manifest: Any) -> None:
    assert set(manifest["exposures"]) == {
        f"exposure.rollcall.{name}"
        for name in (
            *("administrators_report", "assessment_tables", "nwea_tables", "override_tables"),
            *("public_tables", "rollcall_cycle", "rollcall_identities", "rollcall_reconcile"),
            *("rollcall_status", "rollcall_trace"),
        )
    }
    for key, exposure in manifest["exposures"].items():
        assert exposure["owner"]["name"], key
        assert exposure["description"], key
        assert any(parent.startswith("source.") for parent in ancestors(manifest, key)), key


def test_every_mart_is_public_and_every_staged_file_reaches_one(manifest: Any) -> None:
    keys = [key for key in manifest["exposures"] if key.endswith("_tables")]
    marts = {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["access"] == "public"
    }
    assert {mart for key in keys for mart in manifest["parent_map"][key]} == marts
    sources = {name for name in manifest["sources"] if ".raw_" in name}
    assert len(sources) > 10
    assert sources <= {parent for key in keys for parent in ancestors(manifest, key)}


def test_no_model_is_made_for_nobody(manifest: Any) -> None:
    read = {parent for key in manifest["exposures"] for parent in ancestors(manifest, key)}
    models = {key for key in manifest["nodes"] if key.startswith("model.rollcall.")}
    assert models
    assert models - read == set()


def test_the_catalogue_is_one_page_that_needs_no_network(compiled: Path) -> None:
    page = (compiled / "static_index.html").read_text(encoding="utf-8")
    assert "exposure.rollcall.administrators_report" in page
    assert "audit_batch_fitness" in page
    loaded = re.findall(r"<(?:script|link)[^>]*(?:src|href)=[\"']?(https?:[^\"' >]+)", page)
    assert loaded == []

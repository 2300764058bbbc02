"""The recipes of CONTRIBUTING, followed in one copy of the project, and a night with what they add.

Each touches the files that its paragraph names, and no others.
"""

import csv
import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import LONG_AGO, ORGS, SAMPLE

from rollcall.project import PROJECT_DIR

pytestmark = pytest.mark.more

NOT_COPIED = (".*", "__pycache__", "build", "images", "inbox", "logs", "target", "warehouse")
AT = "2026-08-31T10:00:00.000Z"
ROLLCALL = (sys.executable, "-c", "from rollcall.cli.commands import main; main()")


@dataclass
class Workshop:
    """A copy of the project, its data directory, and what each recipe changed in it."""

    folder: Path
    before: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The data directory."""
        return self.folder / "home"

    @property
    def project(self) -> Path:
        """The copy of the project."""
        return self.folder / "project"

    def run(self, *command: str | Path, home: str = "home") -> str:
        """Run a command of the copy; gives what it printed."""
        environment = os.environ | {
            "ROLLCALL_HOME": str(self.folder / home),
            "ROLLCALL_NOW": "2026-09-01T18:00:00Z",
            "DBT_PROFILES_DIR": "profiles",
            "DBT_TARGET_PATH": str(self.folder / home / "target"),
            "DBT_LOG_PATH": str(self.folder / home / "logs"),
            "PYTHONPATH": str(self.project / "scripts"),
        }
        done = subprocess.run(
            command, cwd=self.project, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 3), done.stdout + done.stderr
        return done.stdout

    def rollcall(self, *arguments: str | Path, home: str = "home") -> str:
        """Run `rollcall` of the copy."""
        return self.run(*ROLLCALL, *arguments, home=home)

    def text(self, name: str) -> str:
        """Return what is in a file."""
        return (self.project / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.project / name).write_text(text, encoding="utf-8")

    def add(self, name: str, text: str) -> None:
        """Add text at the end of a file."""
        self.write(name, self.text(name) + text)

    def put(self, name: str, new: str, *, below: str) -> None:
        """Put lines below one that stands once in a file."""
        text = self.text(name)
        assert text.count(below) == 1, f"{name}: {below}"
        self.write(name, text.replace(below, below + new))

    def files(self) -> dict[str, str]:
        """Return the hash of every file."""
        return {
            str(path.relative_to(self.project)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.project.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }

    def follow(self, recipe: Callable[["Workshop"], None]) -> None:
        """Follow a recipe, and keep what the files that it changed were before."""
        before = self.files()
        recipe(self)
        changed = {name for name, seen in self.files().items() if before.get(name) != seen}
        assert not before.keys() - self.files().keys()
        self.before[recipe.__name__] = {
            name: (PROJECT_DIR / name).read_text("utf-8").splitlines() if name in before else []
            for name in changed
        }

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the published warehouse."""
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def variant_of_a_layout(workshop: Workshop) -> None:
    """Orgs with a column more; the file has been rejected before."""
    file = workshop.folder / "early/sis/2026-09-01T020000Z/orgs.csv"
    drafted = workshop.rollcall("layouts", "diff", file).splitlines()
    rows = [line for line in drafted if line.startswith("oneroster/orgs,")]
    workshop.add("seeds/contracts/layouts.csv", "\n".join(rows) + "\n")


def column(workshop: Workshop) -> None:
    """The telephone number of a user, as in the versions of OneRoster since 1.1."""
    name = "seeds/contracts/layouts.csv"
    row = r"^(oneroster/users,{0},\d+,{1},.*,direct),"
    text = workshop.text(name)
    for version in re.findall(row.format(r"(1\.[12][\d.]*)", "email") + "stg_", text, re.M):
        phone = row.format(re.escape(version[1]), "phone") + ","
        text, count = re.subn(phone, r"\1,stg_oneroster__users.phone,", text, flags=re.M)
        assert count == 1
    workshop.write(name, text)
    workshop.put(
        "models/staging/oneroster/base/base_oneroster__users.sql",
        "        {{ text('phone') }} as phone,\n",
        below="        {{ text('email') }} as email,\n",
    )
    mart = "models/marts/core/dim_user.yml"
    [email] = re.findall(r"      - \{name: email, .*\n", workshop.text(mart))
    workshop.put(mart, email.replace("email", "phone"), below=email)


MODELS_OF_CATEGORIES = (
    "models/staging/oneroster/base/base_oneroster__categories",
    "models/staging/oneroster/stg_oneroster__categories",
    "models/marts/core/dim_category",
)
OF_DEMOGRAPHICS = {
    "{{ text('title') }} as name": "{{ date('birthDate') }} as birth_date",
    "{{ integer('weight') }} as weight": "{{ one_of('sex', sexes) }} as sex",
    "required('title')": "readable('birthDate', 'date')",
    "readable('weight', 'integer')": "allowed('sex', sexes)",
}


def feed(workshop: Workshop) -> None:
    """The demographics of users, which are kept raw only."""

    def other(text: str) -> str:
        return text.replace("categories", "demographics").replace("category", "demographic")

    name = "seeds/contracts/feeds.csv"
    old, new = "Demographics,false,,", "Demographics,true,core.dim_demographic,"
    assert old in workshop.text(name)
    workshop.write(name, workshop.text(name).replace(old, new))
    staged = {"sourcedId": "demographic_id", "status": "is_deleted", "sex": "sex"}
    staged |= {"dateLastModified": "modified_at", "birthDate": "birth_date"}
    name = "seeds/contracts/layouts.csv"
    text = workshop.text(name)
    for column_name, staged_as in staged.items():
        row = rf"^(oneroster/demographics,1\.[12][\d.]*,\d+,{column_name},.*,\w+),,"
        text, count = re.subn(
            row, rf"\1,stg_oneroster__demographics.{staged_as},", text, flags=re.M
        )
        assert count == 3
    workshop.write(name, text)
    sources = "models/staging/oneroster/_oneroster__sources.yml"
    [table] = re.findall(r"^      - name: categories\n(?: {8}.*\n)*", workshop.text(sources), re.M)
    workshop.put(sources, other(table), below=table)
    described = {"name": ("birth_date", "date"), "weight": ("sex", "varchar")}
    for like in MODELS_OF_CATEGORIES:
        sql = other(workshop.text(f"{like}.sql"))
        for before, after in OF_DEMOGRAPHICS.items():
            sql = sql.replace(before, after)
        if "sexes" in sql:
            sexes = "{% set sexes = ['male', 'female', 'unspecified', 'other', 'unknown'] %}\n"
            sql = sql.replace("with records", sexes + "with records")
        workshop.write(other(f"{like}.sql"), sql)
        lines = workshop.text(f"{like}.yml").partition("\nunit_tests:")[0]
        for name, (new_name, kind) in described.items():
            lines = lines.replace(f"{{name: {name}, ", f"{{name: {new_name}, ")
            lines = re.sub(rf"({{name: {new_name}, data_type: )'\w+'", rf"\1'{kind}'", lines)
        lines = lines.replace("select category_key, name,", "select category_key, sex,")
        workshop.write(other(f"{like}.yml"), other(lines).rstrip() + "\n")
    workshop.put(
        "models/intermediate/records/int_file_record_counts.sql",
        "        'demographics',\n",
        below="    'oneroster': [\n",
    )
    workshop.put(
        "tests/singular/integrity/no_key_is_lost.sql",
        "        'demographics': 'demographic_id',\n",
        below="    {{ new_records('oneroster', {\n",
    )


CLASS_SIZE = """-- One row per class with students: how many it has.
with enrollments as (
    select * from {{ ref('fct_enrollment') }}
    where is_active and role = 'student'
),

final as (
    select
        class_key,
        count(*) as student_count
    from enrollments
    group by class_key
)

select * from final
"""
CLASS_SIZE_YML = """models:
  - name: fct_class_size
    description: 'One row per class with students: how many it has.'
    config:
      meta:
        question: 'How large is the largest class?'
        query: select max(student_count) as student_count from core.fct_class_size
    data_tests:
      - one_row_per:
          name: class_sizes_have_one_row_per_class
          arguments: {columns: [class_key]}
    columns:
      - name: class_key
        data_type: 'varchar'
        description: '{{ doc("class_key") }}'
        constraints: [{type: primary_key}]
        config: {meta: {personal_data: indirect}}
      - name: student_count
        data_type: 'bigint'
        description: 'Active students.'
        config: {meta: {personal_data: none}}
"""


def model(workshop: Workshop) -> None:
    """A public table of how large classes are."""
    workshop.write("models/marts/core/fct_class_size.sql", CLASS_SIZE)
    workshop.write("models/marts/core/fct_class_size.yml", CLASS_SIZE_YML)
    below = "      - ref('fct_progression_history')\n"
    workshop.put("models/exposures.yml", "      - ref('fct_class_size')\n", below=below)


MEDIAN_TEST = """  - name: the_median_is_the_one_in_the_middle
    model: int_mastery_scored
    overrides: {macros: {is_incremental: false}}
    given:
      - *inputs
      - *cycles
      - input: ref('int_objective_evidence')
        rows: [{objective_id: o, rule_key: r, evidence_count: 4, percents: [50, 90, 60, 61]}]
      - input: ref('int_current_rules')
        rows: [{rule_key: r, method: median, rounding_digits: 2, can_be_lost: true}]
    expect:
      rows: [{objective_id: o, score_percent: 60.5}]
"""


def method(workshop: Workshop) -> None:
    """The median of all scores."""
    workshop.put(
        "macros/mastery/methods.sql",
        "                when 'median' then "
        "cast(list_aggregate({{ percents }}, 'median') as decimal(18, 9))\n",
        below="                when 'asserted' then {{ percents }}[-1]\n",
    )
    known = "tests/singular/config/every_rule_can_be_applied.sql"
    workshop.put(known, ", 'median'", below="'n_mastery', 'asserted'")
    workshop.add("models/intermediate/mastery/methods.yml", MEDIAN_TEST)
    workshop.put(
        "docs/mastery.md",
        "| median | 50, 90, 60 | true | 60 | not_mastered |\n",
        below="| latest | 50, 90, 60 | false | 60 | mastered |\n",
    )
    below = "the newest score, the mean of all scores.\n"
    workshop.put("docs/mastery.md", "- **median**: the score in the middle.\n", below=below)


ADDRESS = """
{#- An address has a host. -#}
{% macro address(column) -%}
    {{ violation('ADDRESS_UNUSABLE', column, text(column) ~ " not like '%@%'", false) }}
{%- endmacro %}
"""
ADDRESS_TEST = """  - name: an_address_without_a_host_is_noted
    model: base_oneroster__users
    given:
      - input: source('raw_oneroster', 'users')
        rows:
          - {file_id: f, record_number: 1, sourcedId: a, email: a@b}
          - {file_id: f, record_number: 2, sourcedId: b, email: ab}
      - input: ref('stg_landing__files')
        rows:
          - {file_id: f, mode: bulk, is_staged: true, required_columns: [], extensible_columns: []}
    expect:
      rows:
        - {record_number: 1, violations: "[]"}
        - record_number: 2
          violations: "[{'code': ADDRESS_UNUSABLE, 'column_name': email, 'is_error': false}]"
"""


def check(workshop: Workshop) -> None:
    """A warning where an address of e-mail cannot be one."""
    base = "models/staging/oneroster/base/base_oneroster__users"
    workshop.add("macros/checks/checks.sql", ADDRESS)
    below = "            required('username'),\n"
    workshop.put(f"{base}.sql", "            address('email'),\n", below=below)
    workshop.add(f"{base}.yml", ADDRESS_TEST)
    workshop.add(
        "seeds/reference/error_codes.csv",
        "ADDRESS_UNUSABLE,record,warning,Unusable address,The address has no host.,Ask for it.\n",
    )


def listing(workshop: Workshop) -> None:
    """The schools."""
    workshop.write(
        "scripts/rollcall/report/queries/schools.sql",
        "select\n    source_id as source,\n    name\nfrom good.core.dim_org\n"
        "where org_type = 'school'\norder by source_id asc, org_id asc\n",
    )
    workshop.put(
        "scripts/rollcall/report/contents.py",
        '        Listing("schools", "Every school", "What there is.", "There is none."),\n',
        below="def _files() -> list[Listing]:\n    return [\n",
    )
    workshop.put("scripts/rollcall/report/site.py", '"schools", ', below='        ("sources", ')
    below = "      - ref('recon_unexpected_record')\n      - ref('dim_user')\n"
    workshop.put("models/exposures.yml", "      - ref('dim_org')\n", below=below)


ENROLLED = """-- One row per enrollment of a student: being in a class counts for an objective.
with enrollments as (
    select * from {{ ref('fct_enrollment') }}
    where is_active and student_key is not null
),

final as (
    select
        source_id,
        roster_source_id,
        'ENROLLED' as objective_id,
        'course' as alignment,
        student_id,
        student_key,
        class_key,
        cast(null as varchar) as course_id,
        cast(100 as decimal(18, 9)) as percent,
        exported_at as event_at,
        'usable' as disposition,
        {{ fingerprint(['enrollment_key', 'version_at', 'visible_at']) }} as evidence_fingerprint,
        'oneroster/enrollments' as feed,
        enrollment_id as evidence_id,
        'scored' as kind,
        cast(null as varchar) as level,
        'instant' as event_precision,
        enrollment_key as evidence_key,
        version_at,
        exported_at,
        visible_at,
        file_id,
        record_number,
        line_number
    from enrollments
)

select * from final
"""


def source_of_evidence(workshop: Workshop) -> None:
    """Enrollments, with the YAML of evidence."""
    name = "models/intermediate/mastery/int_evidence__enrollments"
    workshop.write(f"{name}.sql", ENROLLED)
    described = re.findall(r"^ {4}columns:\n(?: {6}.*\n)*", workshop.text(FCT_EVIDENCE_YML), re.M)
    lines = re.sub(r"^ {8}data_tests:\n(?: {10}.*\n)*", "", described[0], flags=re.M)
    lines = "".join(line for line in lines.splitlines(True) if "name: unresolved" not in line)
    workshop.write(
        f"{name}.yml",
        "models:\n  - name: int_evidence__enrollments\n    description: 'One row per enrollment "
        f"of a student: what it counts for.'\n{lines}",
    )
    evidence = "models/marts/progression/fct_evidence.sql"
    gathered = "gathered as (\n    select * from oneroster_results\n    union all by name\n"
    gathered += "    select * from {{ ref('int_evidence__enrollments') }}\n),\n\n"
    below = "    {% if not reads_oneroster() %}where false{% endif %}\n),\n\n"
    workshop.put(evidence, gathered, below=below)
    text = workshop.text(evidence)
    workshop.write(evidence, text.replace("from oneroster_results as", "from gathered as"))


FCT_EVIDENCE_YML = "models/marts/progression/fct_evidence.yml"
RECIPES = {
    "Add a variant of a layout": variant_of_a_layout,
    "Add a column": column,
    "Add a feed": feed,
    "Add a model": model,
    "Add a source of evidence": source_of_evidence,
    "Add a method": method,
    "Add a check": check,
    "Add to the report": listing,
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Follow every recipe, and run a night."""
    made = Workshop(tmp_path_factory.mktemp("recipes"))
    left_out = shutil.ignore_patterns(*NOT_COPIED)
    shutil.copytree(PROJECT_DIR, made.project, ignore=left_out, symlinks=True)
    early = made.folder / "early/sis/2026-09-01T020000Z"
    early.mkdir(parents=True)
    with (PROJECT_DIR / "seeds/contracts/layouts.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["layout_version"] == "1.1"]
        names, demographics = (
            [row["column_name"] for row in rows if row["feed"] == f"oneroster/{feed}"]
            for feed in ("users", "demographics")
        )
    user = {"sourcedId": "NEW", "status": "active", "dateLastModified": AT, "enabledUser": "true"}
    user |= {"orgSourcedIds": "ORG-9", "role": "student", "username": "u", "givenName": "A"}
    user |= {"familyName": "B", "email": "nowhere", "phone": "5550101"}
    values = ",".join(user.get(name, "") for name in names)
    files = {
        "orgs.csv": f"{ORGS.strip()},phone\nORG-9,active,{AT},Ninth,school,9,DISTRICT-1,555\n",
        "users.csv": f"{','.join(names)}\n{values}\n",
        "demographics.csv": f"{','.join(demographics)}\nNEW,active,{AT},2015-02-28,Female"
        f"{',' * 11}\n",
    }
    for name, text in files.items():
        (early / name).write_text(text, encoding="utf-8")
        os.utime(early / name, LONG_AGO)
    os.utime(early, LONG_AGO)
    made.rollcall("land", "--inbox", made.folder / "early")
    for recipe in RECIPES.values():
        made.follow(recipe)
    made.run(sys.executable, "scripts/staging_yaml.py")
    made.rollcall("--project", ".", "layouts", "compare")
    made.run(sys.executable, "scripts/fault_table.py")
    rule = "enrolled,1,objective,ENROLLED,median,,,70,1,,2,true,2000-01-01,,A rule that uses it.\n"
    made.add("seeds/rules/mastery_rules.csv", rule)
    made.rollcall("reprocess", "sis/2026-09-01T020000Z/orgs.csv")
    cutoff = ("--cutoff", "2026-09-01T18:00:00Z")
    made.rollcall("cycle", "--inbox", SAMPLE / "night_1", *cutoff)
    made.run(sys.executable, "scripts/tables_page.py", made.home / "warehouse.duckdb")
    return made


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_touches_the_files_that_it_names(workshop: Workshop, name: str) -> None:
    text = (PROJECT_DIR / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [paragraph] = re.findall(rf"^\*\*{name}\.\*\*.*?\n\n", text, re.M | re.S)
    named = re.findall(r"`([\w./<>-]+/[\w./<>-]+)`", paragraph)
    patterns = [re.sub(r"<\w+>", "*", pattern) for pattern in named]
    changed = workshop.before[RECIPES[name].__name__]
    assert changed
    for file in changed:
        assert any(fnmatch(file, pattern) for pattern in patterns), file


def test_a_column_takes_at_most_six_places(workshop: Workshop) -> None:
    """Each run of lines counts; those of the layouts, of which every version has one, too."""
    places = 0
    for name, before in workshop.before["column"].items():
        after = workshop.text(name).splitlines()
        lines = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        changed = ("".join(after[a:b]) for kind, _, _, a, b in lines if kind != "equal")
        places += sum("phone" in text for text in changed)
    assert 0 < places <= 6


def test_what_was_added_is_there(workshop: Workshop) -> None:
    of_user = "from core.dim_user where user_id = 'NEW'"
    assert workshop.rows(f"select phone, org_key, unresolved {of_user}") == [
        ("5550101", "sis:ORG-9", [])
    ]
    assert workshop.rows(
        "select record_key, column_name, severity from audit.audit_record_warning "
        "where code = 'ADDRESS_UNUSABLE'"
    ) == [("NEW", "email", "warning")]
    born = "select birth_date::text, sex, is_active from core.dim_demographic"
    assert workshop.rows(f"{born} where demographic_id = 'NEW'") == [("2015-02-28", "female", True)]
    assert len(workshop.rows(born)) > 50
    [(class_count, student_count)] = workshop.rows(
        "select count(*), sum(student_count) from core.fct_class_size"
    )
    assert student_count > class_count > 1
    assert workshop.rows(
        "select distinct method, score_percent, state from progression.fct_mastery "
        "where objective_id = 'ENROLLED'"
    ) == [("median", 100, "mastered")]
    ran = json.loads((workshop.home / "state/run_results.json").read_text(encoding="utf-8"))
    states = {result["unique_id"].split(".")[2]: result["status"] for result in ran["results"]}
    assert states["class_sizes_have_one_row_per_class"] == "pass"
    assert states["no_difference_is_unexplained"] == "pass"


def test_a_listing_is_on_its_page_in_the_workbook_and_a_file(workshop: Workshop) -> None:
    report = workshop.home / "report"
    assert "Every school" in (report / "sources.html").read_text(encoding="utf-8")
    assert "Ninth" in (report / "schools.csv").read_text(encoding="utf-8")
    with zipfile.ZipFile(report / "rollcall.xlsx") as workbook:
        assert "schools" in workbook.read("xl/workbook.xml").decode().lower()


def test_what_is_generated_says_it(workshop: Workshop) -> None:
    assert "`ADDRESS_UNUSABLE`" in workshop.text("docs/faults.md")
    assert "### core.fct_class_size" in workshop.text("docs/tables.md")
    compared = "models/intermediate/reconciliation/compared/int_compared__oneroster__users.sql"
    assert "'processed_column': 'phone'" in workshop.text(compared)


def test_the_tests_that_say_what_is_missing_miss_nothing(workshop: Workshop) -> None:
    tests = (
        *("test_staging_contract.py", "test_public_tables.py"),
        "test_report.py::test_the_exposure_names_what_the_report_reads",
        "test_reconciliation.py::test_the_comparisons_are_those_of_the_layouts",
        "test_sample_faults.py::test_the_table_of_faults_is_that_of_the_codes_and_the_catalogue",
    )
    options = ("-q", "-x", "-p", "no:cacheprovider")
    said = workshop.run(
        *(sys.executable, "-B", "-m", "pytest", *options),
        *(f"tests/python/{test}" for test in tests),
    )
    assert " passed" in said


@pytest.mark.long
def test_its_unit_tests_run_alone_in_a_new_data_directory(workshop: Workshop) -> None:
    workshop.rollcall("init", home="new")
    names = ("the_median_is_the_one_in_the_middle", "an_address_without_a_host_is_noted")
    dbt = Path(sys.executable).with_name("dbt")
    said = workshop.run(dbt, "test", "--select", *names, home="new")
    assert "PASS=2 " in said

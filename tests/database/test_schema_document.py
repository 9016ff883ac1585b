"""docs/schema.md: up to date, complete, and rendered from what is in the database."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.database.clones import Cluster
from tests.findings import none_of
from tools.schema_document import __main__ as command
from tools.schema_document import document, reading
from tools.schema_document.reading import Schema
from tools.schema_document.shared_columns import SHARED_COLUMNS

DOCUMENT = Path(__file__).parents[2] / "docs" / "schema.md"
_TO_DO = "say in schema/*.sql what it is for, then run `make docs`"

_TOYS = """
    CREATE TABLE provider_toys (
        tenant_id uuid NOT NULL, made_at timestamptz NOT NULL, kind text DEFAULT 'a', size varchar(5) DEFAULT 'S'
    ) PARTITION BY RANGE (made_at);
    CREATE TABLE provider_toys_2026 PARTITION OF provider_toys FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    COMMENT ON TABLE provider_toys IS 'Toys | of <all> kinds.';
    ALTER TABLE provider_toys ENABLE ROW LEVEL SECURITY;
    CREATE POLICY provider_toys_seen ON provider_toys FOR SELECT TO causeway_hub USING (kind = 'a');
    CREATE POLICY provider_toys_moved ON provider_toys FOR UPDATE TO causeway_hub
    USING (kind = 'a') WITH CHECK (kind = 'b');
    GRANT SELECT ON provider_toys TO causeway_hub;
    GRANT UPDATE (kind, made_at), DELETE ON provider_toys TO causeway_hub;
"""


@pytest.fixture(scope="module")
def schema(cluster: Cluster) -> Iterator[Schema]:
    """The schema as the migrations make it: a restored clone has lost the comments of dropped CHECKs."""
    with cluster.clone(fresh=True) as urls:
        yield reading.read(urls["hub"])


def test_document_is_up_to_date(schema: Schema) -> None:
    assert document.make(schema) == DOCUMENT.read_text(encoding="utf-8"), "run `make docs`"


def test_every_table_and_view_has_a_comment(schema: Schema) -> None:
    none_of((each.name for each in schema.relations if not each.comment), f"needs COMMENT ON TABLE or VIEW: {_TO_DO}")


def test_every_column_has_a_comment_or_a_meaning_that_all_tables_share(schema: Schema) -> None:
    bare = [
        f"{relation.name}.{column.name}"
        for relation in schema.relations
        for column in relation.columns
        if not column.comment and column.name not in SHARED_COLUMNS
    ]
    none_of(bare, f"needs COMMENT ON COLUMN: {_TO_DO}")


def test_shared_meaning_is_of_a_column_without_a_comment(schema: Schema) -> None:
    bare = {column.name for each in schema.relations for column in each.columns if not column.comment}

    assert not SHARED_COLUMNS.keys() - bare, "remove it from tools/schema_document/shared_columns.py"


def test_every_rule_that_its_columns_do_not_explain_has_a_comment(schema: Schema) -> None:
    """A CHECK of several columns or of a whole row, what is unique beside the primary key, and each index."""
    bare = [
        f"{relation.name}.{rule.name}"
        for relation in schema.relations
        for rule in relation.constraints
        if not rule.comment and (rule.kind == "u" or (rule.kind == "c" and len(rule.columns or ()) != 1))
    ]
    bare += [each.name for relation in schema.relations for each in relation.indexes if not each.comment]
    none_of(bare, f"needs COMMENT ON CONSTRAINT or INDEX, which says what it prevents or finds: {_TO_DO}")


def test_rule_of_several_columns_has_a_name_that_says_what_it_holds(schema: Schema) -> None:
    """Postgres's own names are those of the columns, or of the table only: provider_games_check."""
    unnamed = [
        rule.name
        for relation in schema.relations
        for rule in relation.constraints
        if len(rule.columns or ()) != 1
        and rule.kind in "cu"
        and rule.name.rstrip("0123456789").endswith(("_check", "_key"))
    ]
    none_of(unnamed, "needs a name: CONSTRAINT <table>_<what it holds> CHECK or UNIQUE (...)")


def test_policy_that_compares_more_than_the_tenant_has_a_comment(schema: Schema) -> None:
    plain = {None, "true", "tenant_id = current_tenant()", "tenant_id = ledger_tenant()"}
    bare = [
        policy.name
        for relation in schema.relations
        for policy in relation.policies
        if not policy.comment and not {policy.visible, policy.written} <= plain
    ]
    none_of(bare, f"needs COMMENT ON POLICY, which says whom it admits: {_TO_DO}")


def test_every_function_type_and_role_has_a_comment(schema: Schema) -> None:
    bare = [each.name for each in (*schema.functions, *schema.types, *schema.roles) if not each.comment]
    none_of(bare, f"needs COMMENT ON FUNCTION, TYPE, DOMAIN or ROLE: {_TO_DO}")


def test_partition_is_folded_into_its_table_and_grants_meet_their_policies(cluster: Cluster) -> None:
    with cluster.clone(fresh=True) as urls:
        with psycopg.connect(urls["superuser"], autocommit=True) as database:
            database.execute(_TOYS)
        made = document.make(reading.read(urls["superuser"]))

    [_, toys] = made.split("### `provider_toys`\n")
    assert toys.split("\n###")[0].split("\nFunctions:")[0].strip() == (
        r"Toys \| of \<all\> kinds."
        "\n\n"
        "Partitioned by `RANGE (made_at)`.\n\n"
        "| column | type | null | default | meaning |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| `tenant_id` | `uuid` |  |  | The tenant that the row belongs to. |\n"
        "| `made_at` | `timestamptz` |  |  |  |\n"
        "| `kind` | `text` | yes | `'a'` |  |\n"
        "| `size` | `varchar(5)` | yes | `'S'` |  |\n\n"
        "| role | may | columns | rows | policy |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| `causeway_hub` | SELECT | all | `kind = 'a'` | `provider_toys_seen` |\n"
        "| `causeway_hub` | UPDATE | `made_at`, `kind` | `kind = 'a'`, then `kind = 'b'` | `provider_toys_moved` |\n"
        "| `causeway_hub` | DELETE |  | none |  |"
    )
    assert "provider_toys_2026" not in made


def test_check_fails_and_says_what_to_run(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["schema_document", *arguments])
        return command.main()

    with cluster.clone(fresh=True) as urls:
        monkeypatch.setenv("DATABASE_URL", urls["hub"])
        assert run("--check") == 1
        assert run() == 0
        assert run("--check") == 0
        (tmp_path / "docs/schema.md").write_text("old")
        assert run("--check") == 1

    sentence = "docs/schema.md differs from what the code makes: run `make docs` and commit the file\n"
    assert capsys.readouterr() == ("wrote docs/schema.md\n", sentence * 2)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://nobody:guess@127.0.0.1:1/none", "The database cannot be read: "),
        ("http://example.com/none", ": give postgresql://user:password@host/database\n"),
    ],
)
def test_database_that_cannot_be_read_is_no_difference(
    url: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr("sys.argv", ["schema_document", "--check"])

    assert command.main() == 2
    assert sentence in capsys.readouterr().err

"""What is said of lawfulness is said of entries that were judged."""

from retention.cli.audit.verify import law_lines
from retention.model.answers.proof import LawChecked


def said(judged: int) -> str:
    law = LawChecked(
        lawful=True, judged=judged, violations=[], more_violations=0, acknowledged=[],
        not_checkable=[], in_flight=0, withheld=0,
    )  # fmt: skip
    return "\n".join(law_lines(law))


def test_where_no_entry_could_be_judged_nothing_is_called_lawful():
    assert "not known" in said(0)
    assert "Lawful to" not in said(0)


def test_where_some_were_the_last_of_them_is_named():
    assert "Lawful to entry 4" in said(5)

"""What the program wrote into its log, it was allowed to, whatever a test did to it."""

from retention.catalogue.db import Catalogue
from retention.catalogue.log_check import Verification, verify_catalogue


def obeyed(catalogue: Catalogue, *without: str) -> Verification:
    """The deep verification of its log, which breaks no law; not asked of those that are
    named, nor of holds that a test placed by their rows."""
    report = verify_catalogue(catalogue, deep=True)
    found = [] if report.verdict is None else report.verdict.violations
    told = [
        one.sentence
        for one in found
        if one.law not in without and "never placed" not in one.what
    ]
    assert not told, "\n".join(told)
    return report

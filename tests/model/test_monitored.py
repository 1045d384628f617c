"""The hours in which a site says that people watch: read, counted, and refused."""

import pytest

from retention.model.monitored import read


@pytest.mark.parametrize(
    ("text", "year", "days", "hours"),
    [
        ("24/7", 2026, 365, (24, 24)),
        ("24/7", 2028, 366, (24, 24)),
        ("Mon-Sun 00:00-24:00", 2026, 365, (24, 24)),
        ("Mon-Fri 08:00-22:30", 2026, 261, (14.5, 14.5)),
        ("Fri-Sat 20:00-04:00, Sun 12:00-18:00", 2026, 156, (6, 8)),
        ("Sat-Mon 00:00-00:00", 2026, 156, (24, 24)),
        ("mon 09:00-12:00,mon 13:00-17:00", 2026, 52, (7, 7)),
    ],
)
def test_days_a_year_and_hours_a_day_follow_from_the_words(text, year, days, hours):
    found = read(text)
    assert (found.days_in(year), found.hours_a_day) == (days, hours)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("always", "not days and hours"),
        ("", "not days and hours"),
        ("Mon-Fri 8-22", "not days and hours"),
        ("Mond-Fri 08:00-22:00", "not days and hours"),
        ("Xyz 08:00-22:00", "no day of the week"),
        ("Mon 08:00-24:30", "24 hours"),
        ("Mon 24:00-24:00", "24 hours"),
        ("Mon-Fri 08:00-22:00, Wed 21:00-23:00", "of a Wed twice"),
        ("Sun 20:00-04:00, Mon 03:00-05:00", "of a Mon twice"),
    ],
)
def test_what_is_no_week_is_refused_with_why(text, why):
    with pytest.raises(ValueError, match=why):
        read(text)

"""The national grid as degrees: the Ordnance Survey's own figures, to about 5 m."""

import math

import pytest

from retention.register import grid
from retention.register.grid import Degrees, from_grid, metres

POINTS = {
    "Scilly": (91_492.146, 11_318.804, -6.29977752014, 49.92226393730),
    "Plymouth": (250_359.811, 62_016.569, -4.10864563561, 50.43885825610),
    "London": (530_624.974, 178_388.464, -0.11992557180, 51.48936564950),
    "Worcester": (389_544.190, 261_912.153, -2.15458614387, 52.25529381630),
    "Blackpool": (331_534.564, 431_920.794, -3.04045490691, 53.77911025760),
}
"""Test points of OSTN15: grid, and degrees of ETRS89."""


@pytest.mark.parametrize("name", POINTS)
def test_a_surveyed_point_is_where_the_survey_has_it_to_about_five_metres(name):
    easting, northing, lon, lat = POINTS[name]
    assert metres(from_grid(easting, northing), Degrees(lon, lat)) < 5


def test_the_projection_is_undone_as_in_the_surveys_worked_example():
    """651409.903, 313177.270 is 52 39 27.2531 N, 1 43 4.5177 E on Airy's ellipsoid."""
    lon, lat = map(math.degrees, grid._unprojected(651_409.903, 313_177.270))
    assert lon == pytest.approx(1 + 43 / 60 + 4.5177 / 3600, abs=1e-8)
    assert lat == pytest.approx(52 + 39 / 60 + 27.2531 / 3600, abs=1e-8)


def test_no_more_decimals_are_given_than_are_worth_something():
    lon, lat = from_grid(458_861.25, 304_562.75)
    assert (round(lon, 5), round(lat, 5)) == (lon, lat)

"""Places on the earth: the British national grid as longitude and latitude, distances.

From the grid (OSGB36) to WGS84 as the Ordnance Survey's *A guide to coordinate systems in
Great Britain* has it: the transverse Mercator projection undone, then one Helmert
transformation for the whole country, which is right to about 5 m.  Pure.
"""

from __future__ import annotations

import math
from typing import NamedTuple

EARTH_METRES = 6_371_008.8
ACCURACY = "to about 5 m"
"""Of what `from_grid` gives."""

DIGITS = 5
"""Decimals of its degrees, some 1 m: more would promise more than there is."""

EAST, NORTH = 700_000, 1_300_000
"""Metres to which the grid reaches."""


class Degrees(NamedTuple):
    """Longitude and latitude, WGS84."""

    lon: float
    lat: float


class _Ellipsoid(NamedTuple):
    """Half axes in metres."""

    a: float
    b: float

    @property
    def e2(self) -> float:
        """The eccentricity, squared."""
        return 1 - (self.b / self.a) ** 2

    def across(self, lat: float) -> float:
        """The radius of curvature across the meridian."""
        return self.a / math.sqrt(1 - self.e2 * math.sin(lat) ** 2)


_AIRY = _Ellipsoid(6_377_563.396, 6_356_256.909)
_WGS84 = _Ellipsoid(6_378_137.0, 6_356_752.3142)

_SCALE = 0.9996012717
_ORIGIN_LAT, _ORIGIN_LON = math.radians(49), math.radians(-2)
_ORIGIN_EAST, _ORIGIN_NORTH = 400_000, -100_000

_SHIFT = (446.448, -125.157, 542.060)
_STRETCH = 1 - 20.4894e-6
_TURN = tuple(math.radians(seconds / 3_600) for seconds in (0.1502, 0.2470, 0.8421))


def from_grid(easting: float, northing: float) -> Degrees:
    """A place on the national grid, metres, as degrees to `DIGITS` decimals."""
    lon, lat = _unprojected(easting, northing)
    lon, lat = _degrees(_turned(_in_space(lon, lat)))
    return Degrees(
        round(math.degrees(lon), DIGITS) + 0.0, round(math.degrees(lat), DIGITS)
    )


def _unprojected(easting: float, northing: float) -> tuple[float, float]:
    """Longitude and latitude on Airy's ellipsoid, radians."""
    north = northing - _ORIGIN_NORTH
    lat = _ORIGIN_LAT + north / (_AIRY.a * _SCALE)
    for _ in range(10):  # each turn is worth three digits
        lat += (north - _meridian(lat)) / (_AIRY.a * _SCALE)
    nu = _AIRY.across(lat) * _SCALE
    rho = nu * (1 - _AIRY.e2) / (1 - _AIRY.e2 * math.sin(lat) ** 2)
    eta2, t = nu / rho - 1, math.tan(lat)
    t2, d = t * t, (easting - _ORIGIN_EAST) / nu
    steps = (
        1 / 2,
        (5 + 3 * t2 + eta2 - 9 * t2 * eta2) / 24,
        (61 + 90 * t2 + 45 * t2**2) / 720,
    )
    a, b, c = steps
    southward = t * (nu / rho) * (a * d**2 - b * d**4 + c * d**6)
    eastward = (
        d
        - (nu / rho + 2 * t2) * d**3 / 6
        + (5 + 28 * t2 + 24 * t2**2) * d**5 / 120
        - (61 + 662 * t2 + 1_320 * t2**2 + 720 * t2**3) * d**7 / 5_040
    ) / math.cos(lat)
    return _ORIGIN_LON + eastward, lat - southward


def _meridian(lat: float) -> float:
    """Metres along the meridian from the latitude of the origin."""
    n = (_AIRY.a - _AIRY.b) / (_AIRY.a + _AIRY.b)
    less, more = lat - _ORIGIN_LAT, lat + _ORIGIN_LAT
    return (
        _AIRY.b
        * _SCALE
        * (
            (1 + n + 1.25 * (n**2 + n**3)) * less
            - (3 * (n + n**2) + 2.625 * n**3) * math.sin(less) * math.cos(more)
            + 1.875 * (n**2 + n**3) * math.sin(2 * less) * math.cos(2 * more)
            - 35 / 24 * n**3 * math.sin(3 * less) * math.cos(3 * more)
        )
    )


def _in_space(lon: float, lat: float) -> tuple[float, float, float]:
    """Metres from the centre of Airy's ellipsoid, of a place at no height."""
    nu = _AIRY.across(lat)
    return (
        nu * math.cos(lat) * math.cos(lon),
        nu * math.cos(lat) * math.sin(lon),
        nu * (1 - _AIRY.e2) * math.sin(lat),
    )


def _turned(place: tuple[float, float, float]) -> tuple[float, float, float]:
    """From the datum of the grid to that of WGS84 (Helmert, seven parameters)."""
    x, y, z = place
    rx, ry, rz = _TURN
    return (
        _SHIFT[0] + _STRETCH * x - rz * y + ry * z,
        _SHIFT[1] + rz * x + _STRETCH * y - rx * z,
        _SHIFT[2] - ry * x + rx * y + _STRETCH * z,
    )


def _degrees(place: tuple[float, float, float]) -> tuple[float, float]:
    """Longitude and latitude on the ellipsoid of WGS84, radians."""
    x, y, z = place
    flat = math.hypot(x, y)
    lat = math.atan2(z, flat * (1 - _WGS84.e2))
    for _ in range(10):
        lat = math.atan2(z + _WGS84.e2 * _WGS84.across(lat) * math.sin(lat), flat)
    return math.atan2(y, x), lat


def metres(a: Degrees, b: Degrees) -> float:
    """The way between two places along the earth (haversine)."""
    north, south = math.radians(a.lat), math.radians(b.lat)
    half_lat = math.sin((north - south) / 2) ** 2
    half_lon = math.sin(math.radians(a.lon - b.lon) / 2) ** 2
    chord = half_lat + math.cos(north) * math.cos(south) * half_lon
    return 2 * EARTH_METRES * math.asin(min(1.0, math.sqrt(chord)))

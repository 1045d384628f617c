"""The log that a real service left."""

from tests.support.fixtures import published as published

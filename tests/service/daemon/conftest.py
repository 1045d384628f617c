"""An installation for each test, and what it left running is ended."""

from tests.support.fixtures import daemon as daemon
from tests.support.fixtures import fake_clock as fake_clock
from tests.support.fixtures import installed as installed
from tests.support.fixtures import mount as mount
from tests.support.fixtures import small_reserve as small_reserve

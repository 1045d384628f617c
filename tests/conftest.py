"""What every test may use: a place to import shared test code from."""

import sys
from pathlib import Path

# Tests are imported one by one (importlib mode); what they share lies beside them.
sys.path.insert(0, str(Path(__file__).parent))

"""`python -m cbtui`."""

import sys

from cbtui.cli import main

sys.exit(main())

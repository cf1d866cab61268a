"""`python -m storefront.sandbox`: see command.py."""

import sys

from storefront.sandbox.command import main

sys.exit(main())

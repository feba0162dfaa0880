"""The checker of shapes and types at every call, in tests only: beartype, with an int where a float is expected.

PEP 484 (and basedpyright with it) takes 35 for a float; plain beartype does not.
"""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))

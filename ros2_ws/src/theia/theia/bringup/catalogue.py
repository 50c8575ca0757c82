"""All bring-ups by name."""

from theia.bringup.description import Bringup
from theia.bringup.evaluation import EVALUATION
from theia.bringup.record import RECORD_BRINGUP
from theia.bringup.spot import SPOT_DRAWER
from theia.bringup.widowx import WIDOWX_BRINGUPS
from theia_core.errors import TheiaError

_ALL = (*WIDOWX_BRINGUPS, RECORD_BRINGUP, EVALUATION, SPOT_DRAWER)
BRINGUPS = {bringup.name: bringup for bringup in _ALL}


def get_bringup(name: str) -> Bringup:
    """The bring-up called `name`.

    Raises:
        TheiaError: if there is none.
    """
    if name not in BRINGUPS:
        raise TheiaError(f"no bring-up {name!r}; there is {', '.join(BRINGUPS)}")
    return BRINGUPS[name]

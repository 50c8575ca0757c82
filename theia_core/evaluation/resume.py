"""Going on with a ledger: which trials of which contender it already holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from theia_core.errors import TheiaError
from theia_core.evaluation.ledger import Ledger


def held_records(
    ledger: Ledger, identities: Sequence[Mapping[str, Any]], asked: set[int]
) -> list[list[dict[str, Any]]]:
    """The trials that count of each contender; of a trial that is there twice, the first.

    Args:
        ledger: the ledger to go on with; trials of others in it are passed over.
        identities: the entries that a contender's records have, `protocol_hash` among them.
        asked: indices of the trials that are wanted.

    Raises:
        TheiaError: if the ledger cannot be read, or holds trials of a contender under another protocol: then
            it was edited in the middle of the run.
    """
    held: list[dict[int, dict[str, Any]]] = [{} for _ in identities]
    for record in ledger.trials():
        if not record.get("counted", True) or record.get("index") not in asked:
            continue
        for own, identity in zip(held, identities, strict=True):
            if any(record.get(key) != value for key, value in identity.items() if key != "protocol_hash"):
                continue
            if record.get("protocol_hash") != identity["protocol_hash"]:
                raise TheiaError(
                    f"{ledger.path} holds trials of {record.get('policy')} under protocol "
                    f"{record.get('protocol_hash')}, today's is {identity['protocol_hash']}: the protocol "
                    "was edited in the middle of a run; restore it, or choose another ledger"
                )
            own.setdefault(record["index"], record)
    return [list(own.values()) for own in held]

"""The processes of one torchrun job."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch

# Ranks that extract features meet only at the end, and one may be hours behind another.
_PATIENCE = timedelta(days=2)


@dataclass(frozen=True)
class Ranks:
    """This process among its job's.

    Attributes:
        rank: number of this process, from 0.
        count: number of processes.
    """

    rank: int
    count: int

    def barrier(self) -> None:
        """Wait until every process has come here."""
        if self.count > 1:
            torch.distributed.barrier()


@contextmanager
def joined_ranks() -> Iterator[Ranks]:
    """Join the processes that torchrun started; a process without torchrun is rank 0 of 1."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Ranks(0, 1)
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    torch.distributed.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield Ranks(torch.distributed.get_rank(), count)
    finally:
        torch.distributed.destroy_process_group()

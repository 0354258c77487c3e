"""Meeting: how the ranks of one start find each other, and nobody of an earlier start.

torchrun keeps one store for all its starts (torch 2.13, `DynamicRendezvousHandler.next_rendezvous`), where a rank
writes down its address for the others under the same name each time. So after a restart a rank can find the address of
one that is dead, and wait for it for half an hour. Here the ranks of a start agree on a part of the store of its own.
The number of the restart would not do: on several machines, each counts its own.

    leader          4be1...        the newest rank 0, by a name that nobody else has
    4be1.../2       77c0...        rank 2 has seen it, and is called so
    77c0...         4be1...        rank 0 has seen rank 2: the part of the store that both use
"""

import time
import uuid

from torch.distributed.distributed_c10d import PrefixStore, Store

PAUSE = 0.02
"""Seconds from one look at the store to the next."""


def met(store: Store, rank: int, count: int) -> Store:
    """A part of the store for these ranks alone, once all of them are there.

    Whoever answers is alive, for no rank of an earlier start is: torchrun ends all of them before it begins again.
    """
    me = uuid.uuid4().hex
    if rank == 0:
        store.set("leader", me)
        for other in [store.get(f"{me}/{one}").decode() for one in range(1, count)]:
            store.set(other, me)
        return PrefixStore(me, store)
    leader = ""
    while not store.check([me]):
        if (newest := store.get("leader").decode()) != leader:
            leader = newest
            store.set(f"{leader}/{rank}", me)
        time.sleep(PAUSE)
    return PrefixStore(store.get(me).decode(), store)

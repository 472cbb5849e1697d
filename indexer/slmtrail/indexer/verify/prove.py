"""The proof of one record, from its leaf to the signed checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from slmtrail.core import commitment
from slmtrail.core.errors import TrailError
from slmtrail.core.ports import Sealed
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.ledger.proof import Proof
from slmtrail.indexer.verify.folder import LedgerFolder


@dataclass(frozen=True, slots=True)
class ProofState:
    """What can be shown of one record."""

    state: str
    """`proved`, `pending` (newer than the last checkpoint), `unknown` (nothing to check it by) or `broken`."""
    text: str
    proof: Proof | None = None
    checkpoint: Checkpoint | None = None


def prove(folder: LedgerFolder, sealed: Sealed) -> ProofState:
    """What can be shown of a record."""
    try:
        data, checkpoint = folder.checkpoint()
        if sealed.leaf >= checkpoint.size:
            return ProofState("pending", f"leaf {sealed.leaf} is newer than the last checkpoint ({checkpoint.size})")
        log = Log.open(folder.folder, checkpoint.size)
        proof = Proof(sealed.leaf, tuple(log.inclusion_proof(sealed.leaf)), data)
        checkpoint = proof.verify(commitment.entry(sealed.record), folder.ledger, folder.keys)
    except TrailError as error:
        return ProofState("broken", str(error))
    name = folder.keys[0].name
    text = f"leaf {sealed.leaf} of {checkpoint.size} in {folder.ledger}, under a checkpoint signed by {name}"
    return ProofState("proved", text, proof, checkpoint)

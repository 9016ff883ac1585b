"""A finding of the ledger's verifier."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WalletFinding:
    """A fault in the rows of a wallet."""

    tenant_id: UUID
    wallet_id: int
    fault: str

    def __str__(self) -> str:
        return f"wallet {self.wallet_id} of tenant {self.tenant_id}: {self.fault}"

"""What the ledger's auditor finds wrong about a wallet."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Finding:
    """A wallet whose rows do not agree, and how."""

    tenant_id: UUID
    wallet_id: int
    fault: str

    def __str__(self) -> str:
        return f"wallet {self.wallet_id} of tenant {self.tenant_id}: {self.fault}"

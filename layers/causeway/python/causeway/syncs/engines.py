"""The engines that sync a provider's data, by provider. No provider has an engine yet."""

from collections.abc import Callable, Mapping

from causeway.syncs.runs import LeasedRun, Result
from causeway.tenancy.context import JobContext

# Works on a run of the context's tenant and returns its result. When an engine raises, the run is attempted again.
Engine = Callable[[JobContext, LeasedRun], Result]

# By the provider's key.
ENGINES: Mapping[str, Engine] = dict[str, Engine]()

"""What syncs a provider's data: an engine each, none of which is here yet."""

from collections.abc import Callable, Mapping

from causeway.syncs.runs import Ended, Taken
from causeway.tenancy.context import JobContext

# Works on a run of the context's tenant until it is done, and says what came of it; an exception leaves the run to the
# next attempt.
Engine = Callable[[JobContext, Taken], Ended]

# By the provider's key.
ENGINES: Mapping[str, Engine] = dict[str, Engine]()

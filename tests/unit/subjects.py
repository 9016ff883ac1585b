"""Subjects of tokens that are refused."""

# No authorizer accepts them, neither on the hub's routes nor for launches.
UNUSABLE_SUBJECTS = (
    *(" ", "a ", " a", "a\n", "a\nb", "a\0b", "a\u202eb", "a\u200bb", "\ue000", "\u00a0", "\ud800"),
    *("x" * 5000, "[a b]", '{"a":1}'),
)

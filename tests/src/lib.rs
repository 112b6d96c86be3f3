//! What the tests of the whole share. The tests themselves stand in `tests/tests`.

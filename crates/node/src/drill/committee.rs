//! A key of the committee is stolen.

use anyhow::bail;

/// Rehearses it.
pub(super) async fn rehearse() -> anyhow::Result<String> {
    bail!("not rehearsed yet")
}

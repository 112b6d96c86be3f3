//! What is asked of strangers' servers and what their answers are told from. What they may do instead of
//! answering is the table of `tests/src/hostile`.

mod address;
mod answer;
mod budget;
mod probe;
mod server;
mod tls;

use feed::ports::{Carrier as _, CarrierError};
use peer::limits::Limits;
use server::Evil;
use tlog::name::Origin;

const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\n";
const BYTES: &str = "Content-Type: application/octet-stream\r\n";

fn origin() -> anyhow::Result<Origin> {
    Ok(Origin::parse("evil.example/public")?)
}

/// What becomes of asking this server for a checkpoint.
async fn checkpoint(evil: &Evil, limits: Limits) -> anyhow::Result<Result<Vec<u8>, CarrierError>> {
    let answer = evil.carrier(limits)?.checkpoint(&origin()?).await;
    Ok(answer.map(|bytes| bytes.to_vec()))
}

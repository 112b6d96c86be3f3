//! How a node looks from one of its peers: what that peer holds of it, how it reaches it, whom it takes
//! it for, and what its clock says.

use feed::ports::CarrierError;
use tlog::name::NodeName;
use wire::api::{Peer, WhoAmI};
use wire::heads::HeadLine;

use crate::carrier::HttpCarrier;

/// What a peer tells of us.
#[derive(Debug)]
pub struct Sight {
    /// What it holds of our feeds.
    pub heads: Vec<HeadLine>,
    /// How it goes when it follows us; `None` if it does not.
    pub follows: Option<Peer>,
    /// Whom it takes us for; an older peer does not say.
    pub whoami: Option<WhoAmI>,
    /// Its clock in Unix seconds.
    pub server_time: Option<u64>,
}

/// Asks the node behind `carrier` what it knows of `ours`.
///
/// # Errors
/// When it does not answer the first question; what else it does not answer is left out.
pub async fn of(carrier: &HttpCarrier, ours: &NodeName) -> Result<Sight, CarrierError> {
    let (mut heads, _) = carrier.heads(None).await?.unwrap_or_default();
    heads.retain(|head| head.origin.node() == ours);
    let peers = carrier.peers().await.map(|peers| peers.peers).unwrap_or_default();
    Ok(Sight {
        heads,
        follows: peers.into_iter().find(|peer| peer.node == *ours),
        whoami: carrier.whoami().await.ok(),
        server_time: carrier.server_time(),
    })
}

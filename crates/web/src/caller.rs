//! Who asks, and what they may read.
//!
//! A request between nodes is signed (design 4.6). [`every_request`](crate::around::every_request) finds
//! out who signed it, once; handlers take a [`Caller`] as an argument and ask [`App::may_read`] when they
//! answer. Whoever may not read a feed is answered as if it did not exist.

mod identify;
mod nonces;
mod whoami;

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use feed::feeds::View;
use http::request::Parts;
use tlog::name::{NodeName, Origin};

use crate::app::{App, Audience};

pub(crate) use identify::identify;
pub(crate) use nonces::Nonces;
pub(crate) use whoami::whoami;

/// Addresses of this node that a signature is tried with: those of the configuration, then those of the
/// node record.
const ADDRESSES_MAX: usize = 16;

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Caller {
    /// Nobody we know, or somebody whose signature does not hold.
    #[default]
    Stranger,
    /// A node that signed the request with the HTTP key of its newest node record.
    Node(NodeName),
    /// Whoever may open the control socket.
    Operator,
}

impl Caller {
    /// The node that signed the request.
    pub fn node(&self) -> Option<&NodeName> {
        match self {
            Self::Node(node) => Some(node),
            Self::Stranger | Self::Operator => None,
        }
    }

    /// Whether it is the operator.
    pub fn is_operator(&self) -> bool {
        *self == Self::Operator
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(app.caller(&parts.extensions))
    }
}

impl App {
    /// Who asks, as far as the request has shown.
    pub(crate) fn caller(&self, extensions: &http::Extensions) -> Caller {
        match self.audience {
            Audience::Operator => Caller::Operator,
            Audience::Monitor => Caller::Stranger,
            Audience::Everyone => extensions.get::<Caller>().cloned().unwrap_or_default(),
        }
    }

    /// Where this node is reached, each address in one form.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let said = self.feeds.own_urls(&self.relays);
        let mut addresses: Vec<String> = Vec::new();
        for url in self.base_urls.iter().chain(&said) {
            let address = wire::signature::target_uri(url, "");
            if !addresses.contains(&address) && addresses.len() < ADDRESSES_MAX {
                addresses.push(address);
            }
        }
        addresses
    }

    /// Whether `caller` may know of this feed and read it, as things stand now.
    pub fn may_read(&self, origin: &Origin, caller: &Caller) -> bool {
        match caller {
            _ if !origin.feed().is_restricted() => true,
            Caller::Operator => true,
            Caller::Node(node) => {
                self.feeds.view(origin).is_some_and(|view| self.feeds.may_read(&view, node))
            }
            Caller::Stranger => false,
        }
    }

    /// The feeds held that `caller` may read, own ones first.
    pub(crate) fn origins(&self, caller: &Caller) -> Vec<Origin> {
        let mut origins = self.feeds.origins();
        origins.retain(|origin| self.may_read(origin, caller));
        origins
    }

    /// A feed that is held and that `caller` may read.
    pub(crate) fn view(&self, origin: &Origin, caller: &Caller) -> Option<Arc<View>> {
        self.feeds.view(origin).filter(|_| self.may_read(origin, caller))
    }

    /// Every feed held that `caller` may read.
    pub(crate) fn views(&self, caller: &Caller) -> Vec<Arc<View>> {
        self.origins(caller).iter().filter_map(|origin| self.feeds.view(origin)).collect()
    }
}

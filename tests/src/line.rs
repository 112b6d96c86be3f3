//! A bad line between two network namespaces, and the ways out that firewalls leave: what `tests/line/run`
//! measures over.

mod air;
mod proxy;

pub use air::{Air, Carried};
pub use proxy::{ASKED_FOR, Authority, PROXY_PORT, TLS_PORT, asking, inspecting, serving};

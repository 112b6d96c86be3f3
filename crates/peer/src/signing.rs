//! Who we are to other nodes: our requests, signed (design 4.6).

use feed::feeds::Feeds;
use feed::ports::KeyUse;
use wire::signature::{self, Headers, NONCE_BYTES, Terms};

/// Signs requests.
pub trait Signs: Send + Sync {
    /// The headers that sign a request to `target_uri`; none if the keys are locked: then it is asked as
    /// a stranger, who gets what is public.
    fn sign(&self, method: &str, target_uri: &str, body: Option<&[u8]>) -> Option<Headers>;
}

impl Signs for Feeds {
    fn sign(&self, method: &str, target_uri: &str, body: Option<&[u8]>) -> Option<Headers> {
        let signer = self.signer();
        let key = signer.public(KeyUse::Http).ok()?;
        let mut nonce = [0; NONCE_BYTES];
        self.random().fill(&mut nonce);
        let terms = Terms { key, created: self.clock().now(), nonce };
        let sign = |message: &[u8]| signer.sign(KeyUse::Http, message);
        signature::sign(method, target_uri, body, &terms, sign).ok()
    }
}

//! A request for every public route, with names that exist.

use http::Method;
use tlog::hash::Hash;
use tlog::name::Origin;
use web::Audience;
use web::routes::ROUTES;
use wire::paths;

/// Requests as they go over the wire.
pub struct Routes(Vec<Vec<u8>>);

/// Content of a request that is posted by a stranger.
const RUBBISH: &str = "whatever somebody may send, and more of it";

impl Routes {
    /// Every public route of a node that has this feed and this record.
    pub fn of(origin: &Origin, uuid: &str, body: &Hash) -> Self {
        let public = ROUTES.iter().filter(|route| route.audience == Audience::Everyone);
        Self(
            public
                .map(|route| {
                    let path = filled(route.pattern, origin, uuid, body);
                    match route.method {
                        Method::POST => post(&path),
                        _ => get(&path),
                    }
                })
                .collect(),
        )
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them without end, beginning somewhere.
    pub fn from(&self, start: usize) -> impl Iterator<Item = &Vec<u8>> {
        self.0.iter().cycle().skip(start % self.0.len().max(1))
    }
}

/// A request to read.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: load\r\nAccept: */*\r\n\r\n").into_bytes()
}

fn post(path: &str) -> Vec<u8> {
    let length = RUBBISH.len();
    format!("POST {path} HTTP/1.1\r\nHost: load\r\nContent-Length: {length}\r\n\r\n{RUBBISH}")
        .into_bytes()
}

fn filled(pattern: &str, origin: &Origin, uuid: &str, body: &Hash) -> String {
    let code = match pattern {
        paths::site::TOPIC => "secretariat",
        paths::site::SDG => "16.6",
        paths::site::HUMAN_RIGHTS_MECHANISM => "upr",
        _ => "PY",
    };
    let path = match pattern {
        paths::ASSET => "style.css",
        _ => "1/000.p/4",
    };
    let pattern = match pattern {
        paths::site::SEARCH | paths::site::API_SEARCH => format!("{pattern}?q=practice"),
        _ => pattern.to_owned(),
    };
    pattern
        .replace("{node}", origin.node().as_str())
        .replace("{feed}", origin.feed().as_str())
        .replace("{uuid}", uuid)
        .replace("{id}", uuid)
        .replace("{code}", code)
        .replace("{hash}", &format!("sha256:{}", body.to_hex()))
        .replace("{index}", "7")
        .replace("{size}", "1024")
        .replace("{number}", "0")
        .replace("{name}", "erased")
        .replace("{*path}", path)
}

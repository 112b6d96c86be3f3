//! The way out: one HTTP client for the whole process, and the addresses it may connect to.
//!
//! HTTP/1.1 alone: nothing here needs more, and each limit is enforced for it. Redirects are off, no
//! cookies, no referer, no content codings. A name is looked up once for a connection, all its
//! addresses are checked, and those very addresses are connected to; one refused address refuses them
//! all, so that an answer cannot be half honest.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy};
use tracing::warn;
use url::{Host, Url};

use crate::address::{AddressPolicy, RefusedAddress};
use crate::budget::Budget;
use crate::limits::Limits;
use crate::parts::Parts;
use crate::settings::{PeerSettings, SettingsError};

/// The name this program gives itself in requests.
const USER_AGENT: &str = concat!("jopoi/", env!("CARGO_PKG_VERSION"));

/// Unused connections are closed before servers commonly do, so that no question meets one half closed.
const POOL_IDLE: Duration = Duration::from_secs(10);

/// Looks up names; another one in tests.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of `host`.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// The HTTP client with its limits; shared by all nodes of a process.
pub struct Outbound {
    /// For `https://`.
    secure: Client,
    secure_policy: AddressPolicy,
    /// For `http://`, allowed networks only.
    plain: Client,
    plain_policy: AddressPolicy,
    lookup: Arc<dyn Lookup>,
    proxied: bool,
    pub(crate) limits: Limits,
    /// What answers under way may hold.
    pub(crate) budget: Budget,
    /// What came of answers that broke off.
    pub(crate) parts: Parts,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Why a URL is not one that a node can be reached at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedUrl {
    /// No URL.
    #[error("`{url}` is not a URL: {reason}")]
    Form {
        /// What was given, at most 200 characters of it.
        url: String,
        /// In words.
        reason: String,
    },
    /// Neither `https` nor `http`, or `http` although nothing is allowed.
    #[error("`{url}` is not `https://`; `http://` is for networks in `peers.allow_networks` only")]
    Scheme {
        /// What was given.
        url: String,
    },
    /// An address that is not connected to.
    #[error("`{url}` is not a place to connect to: {source}")]
    Address {
        /// What was given.
        url: String,
        /// Why.
        #[source]
        source: RefusedAddress,
    },
}

impl Outbound {
    /// A client with the limits of the protocol, the system's resolver and the environment's proxy.
    pub fn new(settings: &PeerSettings) -> Result<Arc<Self>, SettingsError> {
        let settings = settings.clone().with_environment();
        Self::with(&settings, Limits::default(), Arc::new(SystemLookup))
    }

    /// A client with other limits, or another resolver; the environment is not asked
    /// (see [`PeerSettings::with_environment`]).
    pub fn with(
        settings: &PeerSettings,
        limits: Limits,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Arc<Self>, SettingsError> {
        let secure_policy = AddressPolicy::public_and(&settings.allow_networks);
        let plain_policy = AddressPolicy::only(&settings.allow_networks);
        let way = Way::of(settings)?;
        let resolver = |policy: &AddressPolicy| CheckedResolver {
            lookup: Arc::clone(&lookup),
            policy: policy.clone(),
            proxy_host: way.proxy_host.clone(),
        };
        let plain = builder(&limits)
            .no_proxy()
            .tls_certs_only([])
            .dns_resolver(resolver(&plain_policy))
            .build()
            .map_err(SettingsError::Client)?;
        let secure = way.client(&limits, || resolver(&secure_policy))?;
        let budget = Budget::new(&limits);
        let proxied = way.proxy.is_some();
        Ok(Arc::new(Self {
            secure,
            secure_policy,
            plain,
            plain_policy,
            lookup,
            proxied,
            limits,
            budget,
            parts: Parts::default(),
        }))
    }

    /// Reads a base URL as somebody typed it or as a node record has it: `https`, no user, no query,
    /// no fragment, and if its host is an address, one that may be connected to.
    pub fn base_url(&self, text: &str) -> Result<Url, RefusedUrl> {
        let shown: String = text.chars().take(200).collect();
        let form = |reason: String| RefusedUrl::Form { url: shown.clone(), reason };
        if text.len() > wire::limits::URL_BYTES {
            return Err(form(format!("it has more than {} bytes", wire::limits::URL_BYTES)));
        }
        let url = Url::parse(text.trim()).map_err(|error| form(error.to_string()))?;
        let policy = match url.scheme() {
            "https" => &self.secure_policy,
            "http" => &self.plain_policy,
            _ => return Err(RefusedUrl::Scheme { url: shown }),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(form("it must not have a user or password".to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(form("it must end with a path, without `?` or `#`".to_owned()));
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(url),
            None => return Err(form("it has no host".to_owned())),
        };
        match policy.check(address) {
            Ok(()) => Ok(url),
            Err(source) => Err(RefusedUrl::Address { url: shown, source }),
        }
    }

    /// Looks the host of a base URL up and checks all its addresses, as a connection would.
    pub async fn look_up(&self, url: &Url) -> Result<Vec<IpAddr>, FailedLookup> {
        let policy = if url.scheme() == "https" { &self.secure_policy } else { &self.plain_policy };
        match url.host() {
            Some(Host::Domain(name)) => checked(&*self.lookup, policy, name).await,
            Some(Host::Ipv4(address)) => Ok(vec![IpAddr::V4(address)]),
            Some(Host::Ipv6(address)) => Ok(vec![IpAddr::V6(address)]),
            None => Ok(Vec::new()),
        }
    }

    /// Whether a proxy leads out.
    pub fn has_proxy(&self) -> bool {
        self.proxied
    }

    /// The client for a URL that [`base_url`](Self::base_url) let through.
    pub(crate) fn client(&self, url: &Url) -> &Client {
        if url.scheme() == "https" { &self.secure } else { &self.plain }
    }
}

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum FailedLookup {
    /// The resolver did not answer.
    #[error(
        "the name `{host}` cannot be looked up ({source}); is it spelt right, and does DNS work here?"
    )]
    Failed {
        /// The name.
        host: String,
        /// The system's own words.
        source: io::Error,
    },
    /// It has no address.
    #[error("the name `{host}` has no address")]
    Empty {
        /// The name.
        host: String,
    },
    /// One of its addresses is not connected to.
    #[error("the name `{host}` leads inside: {refused}")]
    Refused {
        /// The name.
        host: String,
        /// Why.
        refused: RefusedAddress,
    },
}

/// What a resolver gives to the client: checked addresses or none.
struct CheckedResolver {
    lookup: Arc<dyn Lookup>,
    policy: AddressPolicy,
    /// The operator's own proxy may be anywhere.
    proxy_host: Option<String>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.lookup);
        let host = name.as_str().to_owned();
        let is_proxy = self.proxy_host.as_deref() == Some(&host);
        let policy = if is_proxy { None } else { Some(self.policy.clone()) };
        Box::pin(async move {
            let addresses = match policy {
                Some(policy) => checked(&*lookup, &policy, &host).await?,
                None => lookup.addresses(&host).await?,
            };
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

async fn checked(
    lookup: &dyn Lookup,
    policy: &AddressPolicy,
    host: &str,
) -> Result<Vec<IpAddr>, FailedLookup> {
    let host = host.to_owned();
    let addresses = match lookup.addresses(&host).await {
        Ok(addresses) => addresses,
        Err(source) => return Err(FailedLookup::Failed { host, source }),
    };
    match addresses.iter().find_map(|address| policy.check(*address).err()) {
        Some(refused) => Err(FailedLookup::Refused { host, refused }),
        None if addresses.is_empty() => Err(FailedLookup::Empty { host }),
        None => Ok(addresses),
    }
}

fn builder(limits: &Limits) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        .http1_max_headers(wire::limits::HEADER_LINES)
        .connect_timeout(limits.connect)
        .pool_idle_timeout(POOL_IDLE)
        .no_gzip()
        .no_zstd()
        // So that an operator is told when a certificate ends.
        .tls_info(true)
        .tcp_nodelay(true)
}

/// How the operator wants us to leave: the proxy, and whose certificates count.
struct Way {
    proxy: Option<Proxy>,
    proxy_host: Option<String>,
    authorities: Vec<Certificate>,
}

impl Way {
    fn of(settings: &PeerSettings) -> Result<Self, SettingsError> {
        let authorities = match &settings.extra_ca_file {
            None => Vec::new(),
            Some(file) => {
                let pem = std::fs::read(file)
                    .map_err(|source| SettingsError::CaFile { file: file.clone(), source })?;
                let form = || SettingsError::CaForm { file: file.clone() };
                let found = Certificate::from_pem_bundle(&pem).map_err(|_| form())?;
                if found.is_empty() {
                    return Err(form());
                }
                found
            }
        };
        let Some(address) = &settings.proxy else {
            return Ok(Self { proxy: None, proxy_host: None, authorities });
        };
        let mut direct: Vec<_> = settings.allow_networks.iter().map(ToString::to_string).collect();
        direct.extend(settings.no_proxy.iter().cloned());
        let proxy = Proxy::https(address).map_err(SettingsError::Proxy)?;
        let proxy = proxy.no_proxy(NoProxy::from_string(&direct.join(",")));
        let proxy_host = Url::parse(address)
            .or_else(|_| Url::parse(&format!("http://{address}")))
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned));
        Ok(Self { proxy: Some(proxy), proxy_host, authorities })
    }

    fn client(
        &self,
        limits: &Limits,
        resolver: impl Fn() -> CheckedResolver,
    ) -> Result<Client, SettingsError> {
        let start = || {
            let builder = builder(limits).https_only(true).dns_resolver(resolver());
            match &self.proxy {
                Some(proxy) => builder.proxy(proxy.clone()),
                None => builder.no_proxy(),
            }
        };
        match start().tls_certs_merge(self.authorities.clone()).build() {
            Ok(client) => Ok(client),
            // A machine without any certificate authorities still serves, follows in allowed networks,
            // and verifies.
            Err(error) => {
                warn!(
                    event = "peer.no-authorities",
                    "this machine's certificate authorities cannot be read ({error:?}): install them \
                     (the package is often called ca-certificates) or set `peers.extra_ca_file`"
                );
                let alone = start().tls_certs_only(self.authorities.clone());
                alone.build().map_err(SettingsError::Client)
            }
        }
    }
}

//! Whose servers the steps' requests reach: the sandbox's, whatever they are called, as a hosts file would have it.
//!
//! Configurations that a team copies name its real servers. In the demo and in scenarios nobody speaks to those.

use async_trait::async_trait;
use bot::door::{Call, Destination, Door, DoorError, Outgoing};
use bytes::Bytes;
use url::{Host, Url};

/// A door behind which every server that a service lists is the sandbox.
pub(crate) struct Names {
    door: Door,
    sandbox: String,
}

impl Names {
    /// In front of `door`, with the sandbox at `sandbox`.
    pub(crate) fn new(door: Door, sandbox: &str) -> Self {
        Self {
            door,
            sandbox: sandbox.to_owned(),
        }
    }

    /// Where a request to this address goes instead; nothing for what is on this machine anyway.
    fn found(&self, address: &str) -> Option<String> {
        let url: Url = address.parse().ok()?;
        let here = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        };
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        (!here).then(|| {
            format!(
                "{}/web/{}{}{query}",
                self.sandbox,
                url.host_str().unwrap_or_default(),
                url.path()
            )
        })
    }
}

#[async_trait]
impl Outgoing for Names {
    async fn send(&self, mut call: Call) -> Result<http::Response<Bytes>, DoorError> {
        if call.destination == Destination::Listed
            && let Some(address) = self.found(&call.request.uri().to_string())
        {
            let unreadable = |_| DoorError::NotSent("the address cannot be read".to_owned());
            *call.request.uri_mut() = address.parse().map_err(unreadable)?;
        }
        self.door.send(call).await
    }
}

//! Which hosts the bot may speak to.

use std::collections::BTreeSet;

use url::{Host, Url};

use super::Destination;
use crate::aws::api::{GLOBAL_HOSTS, HOSTS};
use crate::aws::clients::domain;

/// Where `response_url`s of the real Slack live.
const SLACK_HOOKS: &str = "https://hooks.slack.com";
/// The AWS services that this version speaks to.
const SERVICES: [&str; 5] = ["codepipeline", "monitoring", "s3", "sqs", "sts"];
/// Where a container or a machine in AWS asks for its own credentials.
const CREDENTIAL_HOSTS: [&str; 3] = ["169.254.169.254", "169.254.170.2", "169.254.170.23"];

/// Scheme, host and port.
type Origin = (String, Host<String>, u16);

/// The list of hosts, by destination. What is not on it is not spoken to.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    origins: Vec<(Destination, Origin)>,
    regions: BTreeSet<String>,
    topic_regions: BTreeSet<String>,
}

impl Allowed {
    /// Nobody.
    #[must_use]
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Slack's Web API at this base address. Its `response_url`s are at Slack's own host, or at that of the override.
    #[must_use]
    pub fn slack(self, api: &Url) -> Self {
        let real = api.host_str() == Some("slack.com");
        let allowed = self.origin(Destination::Slack, api);
        match SLACK_HOOKS.parse::<Url>() {
            Ok(hooks) if real => allowed.origin(Destination::SlackResponse, &hooks),
            _ => allowed.origin(Destination::SlackResponse, api),
        }
    }

    /// GitHub's REST API at this base address.
    #[must_use]
    pub fn github(self, api: &Url) -> Self {
        self.origin(Destination::GitHub, api)
    }

    /// AWS in these regions, and the places where credentials come from.
    #[must_use]
    pub fn aws_regions(mut self, regions: impl IntoIterator<Item = String>) -> Self {
        self.regions.extend(regions);
        self
    }

    /// SNS in the regions of these topics.
    #[must_use]
    pub fn sns_topics<'a>(mut self, arns: impl IntoIterator<Item = &'a str>) -> Self {
        let regions = arns.into_iter().filter_map(|arn| arn.split(':').nth(3));
        self.topic_regions.extend(regions.map(str::to_owned));
        self
    }

    /// AWS at one address for everything, as `AWS_ENDPOINT_URL` gives it.
    #[must_use]
    pub fn aws_endpoint(self, endpoint: &Url) -> Self {
        self.origin(Destination::Aws, endpoint)
            .origin(Destination::Sns, endpoint)
    }

    /// The address that `AWS_CONTAINER_CREDENTIALS_FULL_URI` gives.
    #[must_use]
    pub fn aws_credentials(self, address: &Url) -> Self {
        self.origin(Destination::AwsCredentials, address)
    }

    /// The hosts that services list for their steps.
    #[must_use]
    pub fn listed<'h>(self, hosts: impl IntoIterator<Item = &'h String>) -> Self {
        hosts.into_iter().fold(self, |allowed, host| match host.parse() {
            Ok(url) => allowed.origin(Destination::Listed, &url),
            Err(_) => allowed,
        })
    }

    fn origin(mut self, destination: Destination, url: &Url) -> Self {
        if let Some(origin) = origin(url) {
            self.origins.push((destination, origin));
        }
        self
    }

    /// Whether a request for this destination may go to this address.
    #[must_use]
    pub fn permits(&self, destination: Destination, url: &Url) -> bool {
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let Some(asked) = origin(url) else { return false };
        let listed = self
            .origins
            .iter()
            .any(|(whose, origin)| *whose == destination && *origin == asked);
        listed
            || match destination {
                Destination::Aws => self.is_aws(&asked),
                Destination::Sns => self.is_sns(&asked),
                Destination::AwsCredentials => CREDENTIAL_HOSTS.contains(&asked.1.to_string().as_str()),
                Destination::Slack | Destination::SlackResponse | Destination::GitHub | Destination::Listed => false,
            }
    }

    /// `sns.eu-central-1.amazonaws.com`, over HTTPS, and nothing else.
    fn is_sns(&self, (scheme, host, port): &Origin) -> bool {
        let Host::Domain(host) = host else { return false };
        scheme == "https"
            && *port == 443
            && self
                .topic_regions
                .iter()
                .any(|region| *host == format!("sns.{region}.{}", domain(region)))
    }

    /// `codepipeline.eu-central-1.amazonaws.com`, `bucket.s3.eu-central-1.amazonaws.com`, and nothing that only ends like them.
    fn is_aws(&self, (scheme, host, port): &Origin) -> bool {
        let Host::Domain(host) = host else { return false };
        if scheme != "https" || *port != 443 {
            return false;
        }
        if host == "sts.amazonaws.com" {
            return true;
        }
        let global = |region: &String| {
            let service = host
                .strip_suffix(domain(region))
                .and_then(|rest| rest.strip_suffix('.'));
            service.is_some_and(|service| GLOBAL_HOSTS.contains(&service))
        };
        self.regions.iter().any(global)
            || self.regions.iter().any(|region| {
                let Some(service) = host
                    .strip_suffix(domain(region))
                    .and_then(|rest| rest.strip_suffix('.'))
                    .and_then(|rest| rest.strip_suffix(region.as_str()))
                    .and_then(|rest| rest.strip_suffix('.'))
                else {
                    return false;
                };
                SERVICES.contains(&service) || HOSTS.contains(&service) || service.ends_with(".s3")
            })
    }
}

/// Nothing for schemes that are not HTTP's.
fn origin(url: &Url) -> Option<Origin> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    Some((
        url.scheme().to_owned(),
        url.host()?.to_owned(),
        url.port_or_known_default()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn production() -> Allowed {
        Allowed::nobody()
            .slack(&"https://slack.com/api".parse().unwrap())
            .github(&"https://api.github.com".parse().unwrap())
            .aws_regions(["eu-central-1".to_owned()])
    }

    #[test]
    fn the_real_hosts_are_on_the_list() {
        let allowed = production();
        for (destination, url) in [
            (Destination::Slack, "https://slack.com/api/chat.postMessage"),
            (Destination::SlackResponse, "https://hooks.slack.com/commands/T0/1/x"),
            (
                Destination::GitHub,
                "https://api.github.com/repos/a/b/compare/x...y?page=2",
            ),
            (Destination::Aws, "https://codepipeline.eu-central-1.amazonaws.com/"),
            (Destination::Aws, "https://artifacts.s3.eu-central-1.amazonaws.com/key"),
            (Destination::Aws, "https://sts.eu-central-1.amazonaws.com/"),
            (Destination::Aws, "https://rds.eu-central-1.amazonaws.com/"),
            (Destination::Aws, "https://route53.amazonaws.com/2013-04-01/change/C1"),
            (Destination::Aws, "https://iam.amazonaws.com/"),
            (Destination::AwsCredentials, "http://169.254.170.2/v2/credentials/x"),
        ] {
            assert!(allowed.permits(destination, &url.parse().unwrap()), "{url}");
        }
    }

    #[test]
    fn tricks_do_not_get_through() {
        let allowed = production();
        let tricks = [
            "http://hooks.slack.com/x",
            "https://hooks.slack.com:8443/x",
            "https://hooks.slack.com./x",
            "https://hooks.slack.com@evil.example/x",
            "https://user@hooks.slack.com/x",
            "https://user:pass@hooks.slack.com/x",
            "https://hooks.slack.com.evil.example/x",
            "https://evil.example/hooks.slack.com",
            "https://evilhooks.slack.com/x",
            "https://hooks.slack.com%2eevil.example/x",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "http://169.254.169.254/latest/meta-data/",
            "https://hооks.slack.com/x",
            "ftp://hooks.slack.com/x",
            "file:///etc/passwd",
            "https://slack.com/api/x",
        ];
        for trick in tricks {
            let Ok(url) = trick.parse::<Url>() else { continue };
            assert!(!allowed.permits(Destination::SlackResponse, &url), "{trick}");
        }
        for trick in [
            "https://codepipeline.eu-west-1.amazonaws.com/",
            "https://iam.eu-central-1.amazonaws.com/",
            "https://rds.amazonaws.com/",
            "https://eviliam.amazonaws.com/",
            "https://iam.amazonaws.com.cn/",
            "https://codepipeline.eu-central-1.amazonaws.com.evil.example/",
            "https://evilcodepipeline.eu-central-1.amazonaws.com/",
            "https://codepipelineeu-central-1.amazonaws.com/",
            "http://codepipeline.eu-central-1.amazonaws.com/",
        ] {
            assert!(!allowed.permits(Destination::Aws, &trick.parse().unwrap()), "{trick}");
        }
    }

    #[test]
    fn sns_is_spoken_to_where_its_topics_are_and_nowhere_else() {
        let allowed = production().sns_topics(["arn:aws:sns:eu-west-1:111122223333:signalbox"]);
        let permits = |url: &str| allowed.permits(Destination::Sns, &url.parse().unwrap());
        assert!(permits(
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
        ));
        for trick in [
            "http://sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-central-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
            "https://sns.eu-west-1.amazonaws.com.cn/a.pem",
            "https://evil.sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
            "https://evil.s3.eu-west-1.amazonaws.com/a.pem",
            "https://sqs.eu-west-1.amazonaws.com/a.pem",
            "https://127.0.0.1/a.pem",
        ] {
            assert!(!permits(trick), "{trick}");
        }
        let unused = "https://sns.eu-central-1.amazonaws.com/a.pem".parse().unwrap();
        assert!(!production().permits(Destination::Sns, &unused), "no topic, no SNS");
    }

    #[test]
    fn an_override_replaces_the_real_host() {
        let allowed = Allowed::nobody().slack(&"http://127.0.0.1:8700/slack/api".parse().unwrap());
        let here = "http://127.0.0.1:8700/slack/response/x".parse().unwrap();
        assert!(allowed.permits(Destination::SlackResponse, &here));
        assert!(!allowed.permits(
            Destination::SlackResponse,
            &"https://hooks.slack.com/x".parse().unwrap()
        ));
        assert!(!allowed.permits(Destination::SlackResponse, &"http://127.0.0.1:8701/x".parse().unwrap()));
    }
}

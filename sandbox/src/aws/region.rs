//! What an account has in one region, service by service.

use super::apigateway::Gateway;
use super::codebuild::Builds;
use super::commands::Commands;
use super::deed::Directed;
use super::dynamodb::Dynamo;
use super::lambda::Lambda;
use super::logs::Logs;
use super::metrics::Metrics;
use super::opensearch::Search;
use super::place::Place;
use super::posture::Posture;
use super::rds::Rds;
use super::route53::Zones;
use super::rules::Rules;
use super::secrets::Secrets;
use super::sqs::Queues;
use super::ssm::Parameters;

/// The resources of a region. Those of an account as a whole are in the region without a name.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) place: Place,
    /// The present of the call or deed that is under way, Unix milliseconds.
    pub(crate) now_ms: i64,
    /// What builds and functions do to the account, to be done as soon as the call is over.
    pub(crate) outbox: Vec<Directed>,
    pub(crate) queues: Queues,
    pub(crate) lambda: Lambda,
    pub(crate) parameters: Parameters,
    pub(crate) secrets: Secrets,
    pub(crate) dynamodb: Dynamo,
    pub(crate) builds: Builds,
    pub(crate) logs: Logs,
    pub(crate) metrics: Metrics,
    pub(crate) rules: Rules,
    pub(crate) gateway: Gateway,
    pub(crate) zones: Zones,
    pub(crate) rds: Rds,
    pub(crate) search: Search,
    pub(crate) commands: Commands,
    pub(crate) posture: Posture,
}

impl Region {
    /// An empty region.
    pub(crate) fn new(place: Place, now_ms: i64) -> Self {
        Self {
            place,
            now_ms,
            outbox: Vec::new(),
            queues: Queues::default(),
            lambda: Lambda::default(),
            parameters: Parameters::default(),
            secrets: Secrets::default(),
            dynamodb: Dynamo::default(),
            builds: Builds::default(),
            logs: Logs::default(),
            metrics: Metrics::default(),
            rules: Rules::default(),
            gateway: Gateway::default(),
            zones: Zones::default(),
            rds: Rds::default(),
            search: Search::default(),
            commands: Commands::default(),
            posture: Posture::default(),
        }
    }

    /// When something here happens by itself next.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let dues = [
            self.queues.next_due(),
            self.lambda.next_due(),
            self.dynamodb.next_due(),
            self.builds.next_due(),
            self.commands.next_due(),
        ];
        dues.into_iter().flatten().min()
    }

    /// Does what is due at `now_ms`; afterwards nothing is due until later.
    pub(crate) fn settle(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        self.queues.settle(now_ms);
        self.lambda.settle(now_ms);
        self.dynamodb.settle(now_ms);
        super::codebuild::settle(self);
        super::commands::settle(self);
    }
}

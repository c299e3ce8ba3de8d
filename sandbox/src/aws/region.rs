//! What an account has in one region, service by service.

use super::codebuild::Builds;
use super::deed::Directed;
use super::dynamodb::Dynamo;
use super::lambda::Lambda;
use super::logs::Logs;
use super::metrics::Metrics;
use super::place::Place;
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
        }
    }

    /// When something here happens by itself next.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let dues = [
            self.queues.next_due(),
            self.lambda.next_due(),
            self.dynamodb.next_due(),
            self.builds.next_due(),
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
    }
}

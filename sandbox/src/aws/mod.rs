//! An AWS account: pipelines, and what runbooks act on beside them, over the protocols that the vendor's clients speak.
//!
//! Each service is a file or a folder, with one line in `service.rs`; what it has in one account and region is a member of `region.rs`, made by
//! `seed_file.rs` and changed without the API by `deed.rs`.
//!
//! The pipelines are a synchronous state machine that takes the time as an argument ([`Account::advance`]). Every call moves it to the sandbox's
//! present first, so a test with a frozen clock needs nothing else; with a running clock [`start_engine`] moves it as time passes.
//!
//! The account is `111122223333` in `eu-central-1`. Two roles can be assumed: `arn:aws:iam::111122223333:role/signalbox`, and
//! `arn:aws:iam::444455556666:role/signalbox` with the external id `wallet-7`. Both see the same pipelines.

mod account;
mod apigateway;
mod args;
mod cbor;
mod cloudwatch;
mod codebuild;
mod codepipeline;
mod commands;
mod deed;
mod dynamodb;
mod engine;
mod error;
mod events;
mod ids;
mod lambda;
mod logs;
mod metrics;
mod opensearch;
mod page;
mod pipeline;
mod place;
mod posture;
mod protocol;
mod push;
mod query;
mod rds;
mod region;
mod route53;
mod rules;
mod s3;
mod s3_buckets;
mod s3_list;
mod s3_wire;
mod script;
mod secrets;
mod seed;
mod seed_file;
mod service;
mod signature;
mod sites;
mod snapshot;
mod sqs;
mod ssm;
mod sts;
mod value;
mod wire;
mod xml;
mod zip;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire_tests;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use account::{Account, ApprovalResult};
pub use deed::Directed;
pub use error::AwsError;
pub use events::EVENT_QUEUE;
pub use lambda::variables as function_variables;
pub(crate) use opensearch::routes as search_routes;
pub use pipeline::{
    ACCOUNT, Action, ActionStatus, Category, ExecutionStatus, Failure, Mode, Pipeline, REGION, Revision, Source, Stage,
    Transition, Trigger,
};
pub use place::Place;
pub use push::{Push, Pushed, push};
pub(crate) use route53::Said;
pub use s3::{BUCKET, KEY};
pub(crate) use s3_wire::percent_decoded;
pub use script::{Arrival, Failing};
pub use seed::{approval_stage, codebuild_stage, pipeline, source_stage};
pub use seed_file::SeedFile;
pub(crate) use sites::routes as site_routes;
pub use snapshot::snapshot;
pub use wire::routes;
pub use zip::stored as archived;

use crate::world::{Change, World};

/// How often the pipelines are looked at, in machine time.
const TICK: Duration = Duration::from_millis(100);

/// Moves the pipelines as the sandbox's time passes: on a short tick, and at once when the clock is jumped.
pub fn start_engine(world: &Arc<World>, stop: &CancellationToken) {
    let world = Arc::clone(world);
    let stop = stop.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox's own engine task; it ends with the token"
    )]
    tokio::spawn(async move {
        let mut jumps = world.clock.jumps();
        loop {
            if world.aws().advance(world.clock.now_ms()) {
                world.changed(Change::Aws);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                _ = jumps.changed() => {}
                () = crate::clock::machine_sleep(TICK) => {}
            }
        }
    });
}

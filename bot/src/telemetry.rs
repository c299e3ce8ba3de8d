//! Logs and metrics: set up once, by whoever runs the bot.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// From a store on the same machine to a patient read of AWS, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// The SDKs' own logs at debug hold requests with tokens in them.
const DEFAULT: &str =
    "info,aws_config=warn,aws_runtime=warn,aws_smithy_runtime=warn,aws_sdk_sts=warn,hyper=warn,h2=warn,rustls=warn";
/// What keeps those crates from saying more, whatever is asked for.
const NEVER: [&str; 6] = [
    "aws_smithy_runtime=info",
    "aws_smithy_runtime_api=info",
    "aws_sdk_codepipeline=info",
    "aws_sigv4=info",
    "hyper=info",
    "reqwest=info",
];

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `RUST_LOG` cannot be read.
    #[error("RUST_LOG is not understood: {0}")]
    Filter(String),
    /// It was set up before.
    #[error("logs are already set up: {0}")]
    Logs(String),
    /// It was set up before.
    #[error("metrics are already set up: {0}")]
    Metrics(String),
}

/// Sends logs to standard output: one line of JSON each, or words when a person watches. `filter` is the value of `RUST_LOG`.
///
/// # Errors
/// When the filter is not understood, or logs are set up already.
pub fn logs(filter: Option<&str>) -> Result<(), Error> {
    let mut wanted = EnvFilter::builder()
        .parse(filter.unwrap_or(DEFAULT))
        .map_err(|error| Error::Filter(error.to_string()))?;
    for directive in NEVER {
        let directive = directive.parse().map_err(|_| Error::Filter(directive.to_owned()))?;
        wanted = wanted.add_directive(directive);
    }
    let logs = tracing_subscriber::fmt()
        .with_env_filter(wanted)
        .with_writer(std::io::stdout);
    let started = if std::io::stdout().is_terminal() {
        logs.compact().try_init()
    } else {
        logs.json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init()
    };
    started.map_err(|error| Error::Logs(error.to_string()))
}

/// Collects metrics for `/metrics`, for the whole process.
///
/// # Errors
/// When they are collected already.
pub fn metrics() -> Result<PrometheusHandle, Error> {
    let handle = builder()?
        .install_recorder()
        .map_err(|error| Error::Metrics(error.to_string()))?;
    describe();
    Ok(handle)
}

/// What monitors show beside the numbers; `docs/operations.md` says what to watch them for.
fn describe() {
    use metrics::{describe_counter, describe_histogram};
    describe_histogram!(
        "signalbox_answer_seconds",
        "How long Slack waited for an answer, by kind of delivery"
    );
    describe_histogram!(
        "signalbox_call_seconds",
        "How long calls of others took, by destination, call and result"
    );
    describe_counter!(
        "signalbox_effects_total",
        "Effects that were tried, by effect and what came of the try"
    );
    describe_counter!(
        "signalbox_deliveries_refused_total",
        "Deliveries that were not believed, by why"
    );
    describe_counter!(
        "signalbox_watch_failures_total",
        "Reads of a pipeline that failed, by service and environment"
    );
}

fn builder() -> Result<PrometheusBuilder, Error> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .map_err(|error| Error::Metrics(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_in_buckets() {
        let recorder = builder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::histogram!("signalbox_call_seconds", "call" => "x").record(0.004);
        });
        let text = recorder.handle().render();
        assert!(
            text.contains("# HELP signalbox_call_seconds How long calls of others took"),
            "{text}"
        );
        assert!(
            text.contains(r#"signalbox_call_seconds_bucket{call="x",le="0.005"} 1"#),
            "{text}"
        );
        assert!(
            text.contains(r#"signalbox_call_seconds_bucket{call="x",le="0.0025"} 0"#),
            "{text}"
        );
    }
}

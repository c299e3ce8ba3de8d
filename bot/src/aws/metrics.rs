//! How many of a Lambda function's calls failed lately, as CloudWatch counted them.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;
use commands::time::{Span, Timestamp};

use super::clients::{Clients, Within};
use super::error::AwsError;

/// The finest that CloudWatch keeps of Lambda's metrics, in seconds.
const PERIOD: i32 = 60;

/// Calls of functions and how many of them failed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Failures {
    /// How often they were called.
    pub calls: f64,
    /// How many of these failed.
    pub failed: f64,
}

impl Failures {
    /// In percent; nothing when there was no call.
    pub(crate) fn percent(self) -> Option<f64> {
        (self.calls > 0.0).then(|| self.failed * 100.0 / self.calls)
    }
}

/// What functions did in the span before now, all together, in one call.
///
/// # Errors
/// See [`AwsError`]; nothing was changed.
pub(crate) async fn failures(
    clients: &Clients,
    within: Within<'_>,
    functions: &[String],
    (over, now): (Span, Timestamp),
) -> Result<Failures, AwsError> {
    let client = clients.cloudwatch(within).await?;
    let queries = functions.iter().enumerate().flat_map(|(number, function)| {
        let one = |name: &str, id: &str| query(function, name, &format!("{id}{number}"));
        [one("Invocations", CALLS), one("Errors", FAILED)]
    });
    let ask = client
        .get_metric_data()
        .set_metric_data_queries(Some(queries.collect()))
        .start_time(DateTime::from_millis(now.0 - over.0))
        .end_time(DateTime::from_millis(now.0));
    let told = clients.heed(within, ask.send().await.map_err(AwsError::from))?;
    let sum = |prefix: &str| -> f64 {
        let all = told.metric_data_results().iter();
        let of = all.filter(|result| result.id().is_some_and(|id| id.starts_with(prefix)));
        of.flat_map(|result| result.values()).sum()
    };
    Ok(Failures {
        calls: sum(CALLS),
        failed: sum(FAILED),
    })
}

const CALLS: &str = "calls";
const FAILED: &str = "failed";

fn query(function: &str, name: &str, id: &str) -> MetricDataQuery {
    let dimension = Dimension::builder().name("FunctionName").value(function).build();
    let metric = Metric::builder()
        .namespace("AWS/Lambda")
        .metric_name(name)
        .dimensions(dimension)
        .build();
    let stat = MetricStat::builder().metric(metric).period(PERIOD).stat("Sum").build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

//! How many of a Lambda function's calls failed lately, as CloudWatch counted them.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, StatusCode};
use aws_smithy_types::DateTime;
use commands::time::{Span, Timestamp};

use super::clients::{Clients, Within};
use super::error::AwsError;

/// The finest that CloudWatch keeps of Lambda's metrics, in seconds.
const PERIOD: i32 = 60;
/// The pages of one answer that are read: one holds a day of some thirty functions.
const PAGES: usize = 5;

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

/// What functions did in the span before now, all together.
///
/// # Errors
/// See [`AwsError`]; nothing was changed. Part of what was counted is no answer: it would make few failures, or none, out of those that are not told.
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
    let (mut counted, mut next) = (Failures::default(), None::<String>);
    for _ in 0..PAGES {
        let page = ask.clone().set_next_token(next).send().await;
        let told = clients.heed(within, page.map_err(AwsError::from))?;
        next = told.next_token().map(str::to_owned);
        for result in told.metric_data_results() {
            whole(result, next.is_some())?;
            let sum: f64 = result.values().iter().sum();
            match result.id() {
                Some(id) if id.starts_with(CALLS) => counted.calls += sum,
                Some(id) if id.starts_with(FAILED) => counted.failed += sum,
                _ => {}
            }
        }
        if next.is_none() {
            return Ok(counted);
        }
    }
    Err(incomplete("there is more than is read"))
}

/// Nothing, if a result holds all that was counted, or `goes_on` on the next page.
fn whole(result: &MetricDataResult, goes_on: bool) -> Result<(), AwsError> {
    match result.status_code() {
        Some(StatusCode::Complete) => Ok(()),
        Some(StatusCode::PartialData) if goes_on => Ok(()),
        Some(StatusCode::Forbidden) => Err(AwsError::fatal(
            "Forbidden",
            "CloudWatch does not tell the role what was counted: allow it cloudwatch:GetMetricData",
        )),
        status => Err(incomplete(status.map_or("it does not say", StatusCode::as_str))),
    }
}

fn incomplete(why: &str) -> AwsError {
    AwsError::retryable(
        "Incomplete",
        &format!("CloudWatch did not tell all that was counted: {why}"),
    )
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

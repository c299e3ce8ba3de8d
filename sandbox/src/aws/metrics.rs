//! CloudWatch's metrics: what was measured each minute, set by the controls and by what functions do.
//!
//! What nobody measured is not zero: such minutes have no point. Metric math is refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{Args, Rule};
use super::error::AwsError;
use super::page;
use super::region::Region;
use super::value::{structure, timestamp};

const ANY: Rule = Rule::length(0, usize::MAX);
const NAME: Rule = Rule::length(1, 255);
const MINUTE: i64 = 60_000;
/// The most points of one answer.
const POINTS: i64 = 100_800;

/// A metric by namespace, name and dimensions.
type Key = (String, String, Vec<(String, String)>);

/// What was measured within a minute.
#[derive(Debug, Clone, Copy)]
struct Point {
    sum: f64,
    count: f64,
    minimum: f64,
    maximum: f64,
}

/// A metric's points by minute, and what it measures every minute from an instant on.
#[derive(Debug, Default)]
struct Series {
    points: BTreeMap<i64, Point>,
    steady: Option<(i64, f64)>,
}

/// The metrics of a region.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    series: BTreeMap<Key, Series>,
    /// What `GetMetricData` says of its results, which then hold nothing; without it they are complete.
    status: Option<String>,
    /// How many results are on a page of its answer; without it all of them.
    page: Option<i64>,
}

impl Point {
    const fn of(value: f64) -> Self {
        Self {
            sum: value,
            count: 1.0,
            minimum: value,
            maximum: value,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            sum: self.sum + other.sum,
            count: self.count + other.count,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }

    fn statistic(self, name: &str) -> Option<f64> {
        match name {
            "Sum" => Some(self.sum),
            "SampleCount" => Some(self.count),
            "Average" => Some(self.sum / self.count),
            "Minimum" => Some(self.minimum),
            "Maximum" => Some(self.maximum),
            _ => None,
        }
    }
}

impl Series {
    /// The points of the periods from `from_ms` until before `until_ms`, by the period's begin.
    fn periods(&self, (from_ms, until_ms): (i64, i64), period_ms: i64, now_ms: i64) -> BTreeMap<i64, Point> {
        let mut periods: BTreeMap<i64, Point> = BTreeMap::new();
        let mut add = |minute: i64, point: Point| {
            let begin = minute.div_euclid(period_ms) * period_ms;
            let sum = periods.get(&begin).map_or(point, |sum| sum.and(point));
            periods.insert(begin, sum);
        };
        let (first, last) = (from_ms.div_euclid(period_ms) * period_ms, until_ms.min(now_ms + 1));
        for (minute, point) in self.points.range(first..until_ms.max(first)) {
            add(*minute, *point);
        }
        if let Some((since_ms, value)) = self.steady {
            let mut minute = first.max(since_ms.div_euclid(MINUTE) * MINUTE);
            while minute < last {
                add(minute, Point::of(value));
                minute += MINUTE;
            }
        }
        periods
    }
}

impl Metrics {
    /// What a function counted in the last minutes, by the metric's name; nothing when nobody measured it.
    pub(crate) fn counted(&self, name: &str, function: &str, (minutes, now_ms): (i64, i64)) -> Option<f64> {
        let dimensions = vec![("FunctionName".to_owned(), function.to_owned())];
        let series = self
            .series
            .get(&("AWS/Lambda".to_owned(), name.to_owned(), dimensions))?;
        let span = (now_ms - (minutes - 1) * MINUTE, now_ms + 1);
        let periods = series.periods(span, MINUTE, now_ms);
        (!periods.is_empty()).then(|| periods.values().map(|point| point.sum).sum())
    }

    /// Measures a value at an instant.
    pub(crate) fn add(&mut self, namespace: &str, name: &str, dimensions: &[(&str, &str)], (at_ms, value): (i64, f64)) {
        let owned = dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let series = self.series(namespace, name, owned.collect());
        let minute = at_ms.div_euclid(MINUTE) * MINUTE;
        let point = Point::of(value);
        let sum = series.points.get(&minute).map_or(point, |sum| sum.and(point));
        series.points.insert(minute, sum);
    }

    fn series(&mut self, namespace: &str, name: &str, mut dimensions: Vec<(String, String)>) -> &mut Series {
        dimensions.sort();
        self.series
            .entry((namespace.to_owned(), name.to_owned(), dimensions))
            .or_default()
    }

    fn find(&self, metric: Args<'_>) -> Result<Option<&Series>, AwsError> {
        let mut dimensions = Vec::new();
        for dimension in metric.list("Dimensions")? {
            let dimension = Args(dimension);
            let pair = (dimension.need("Name", &NAME)?, dimension.need("Value", &ANY)?);
            dimensions.push((pair.0.to_owned(), pair.1.to_owned()));
        }
        dimensions.sort();
        let key = (
            metric.need("Namespace", &NAME)?.to_owned(),
            metric.need("MetricName", &NAME)?.to_owned(),
            dimensions,
        );
        Ok(self.series.get(&key))
    }
}

/// The time span of a question, in milliseconds.
fn span(args: Args<'_>) -> Result<(i64, i64), AwsError> {
    let missing = |member| AwsError::validation("null", member, "not be null");
    let from_ms = args.instant("StartTime")?.ok_or_else(|| missing("StartTime"))?;
    let until_ms = args.instant("EndTime")?.ok_or_else(|| missing("EndTime"))?;
    if from_ms >= until_ms {
        let message = "The parameter StartTime must be less than the parameter EndTime.";
        return Err(
            AwsError::new("InvalidParameterCombination", message).with_query_code("InvalidParameterCombination")
        );
    }
    Ok((from_ms, until_ms))
}

fn period(args: Args<'_>) -> Result<i64, AwsError> {
    let seconds = args.number("Period", 1, 86_400 * 30)?.unwrap_or(60);
    if seconds % 60 != 0 {
        return Err(AwsError::new(
            "InvalidParameterValue",
            "Period must be a multiple of 60.",
        ));
    }
    Ok(seconds * 1000)
}

/// `GetMetricStatistics`.
pub(crate) fn get_statistics(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let (span, period_ms) = (span(args)?, period(args)?);
    let statistics = args.texts("Statistics")?;
    if statistics.is_empty() {
        let message = "Must specify either Statistics or ExtendedStatistics";
        return Err(AwsError::new("InvalidParameterCombination", message));
    }
    if (span.1 - span.0) / period_ms > 1_440 {
        let message = format!(
            "You have requested up to {} datapoints, which exceeds the limit of 1,440.",
            (span.1 - span.0) / period_ms
        );
        return Err(AwsError::new("InvalidParameterCombination", message));
    }
    let now_ms = region.now_ms;
    let series = region.metrics.find(args)?;
    let periods = series.map_or_else(BTreeMap::new, |series| series.periods(span, period_ms, now_ms));
    let points = periods.into_iter().map(|(begin_ms, point)| {
        let mut shown = json!({"Timestamp": timestamp(begin_ms), "Unit": "Count"});
        for name in &statistics {
            if let Some(value) = point.statistic(name) {
                shown[*name] = json!(value);
            }
        }
        shown
    });
    Ok(json!({"Label": args.need("MetricName", &NAME)?, "Datapoints": points.collect::<Vec<_>>()}))
}

/// The statistic of each period, by its begin.
fn points(periods: BTreeMap<i64, Point>, statistic: &str) -> Result<Vec<(i64, f64)>, AwsError> {
    let unknown = || {
        AwsError::new(
            "ValidationError",
            format!("The value {statistic} for parameter Stat is not supported."),
        )
    };
    let points = periods
        .into_iter()
        .map(|(begin_ms, point)| Ok((begin_ms, point.statistic(statistic).ok_or_else(unknown)?)));
    points.collect()
}

/// `GetMetricData`.
pub(crate) fn get_data(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let span = span(args)?;
    let newest_first = args.text("ScanBy", &ANY)? != Some("TimestampAscending");
    let queries = args.list("MetricDataQueries")?;
    if queries.is_empty() || queries.len() > 500 {
        let message = "The collection MetricDataQueries must have a size between 1 and 500.";
        return Err(AwsError::new("ValidationError", message));
    }
    let mut results = Vec::new();
    for query in queries.iter().map(Args) {
        let id = query.need("Id", &NAME)?;
        let Some(wanted) = query.structure("MetricStat")? else {
            let message = format!("Error in expression '{id}': the sandbox has no metric math");
            return Err(AwsError::new("ValidationError", message));
        };
        let metric = wanted
            .structure("Metric")?
            .ok_or_else(|| AwsError::validation("null", "Metric", "not be null"))?;
        let (statistic, period_ms) = (wanted.need("Stat", &NAME)?, period(wanted)?);
        if (span.1 - span.0) / period_ms > POINTS {
            return Err(AwsError::new("ValidationError", "The request is for too many points."));
        }
        let series = region.metrics.find(metric)?;
        let periods = series.map_or_else(BTreeMap::new, |series| series.periods(span, period_ms, region.now_ms));
        let mut points = points(periods, statistic)?;
        if newest_first {
            points.reverse();
        }
        let status = region.metrics.status.as_deref();
        points.retain(|_| status.is_none());
        if query.0.get("ReturnData") == Some(&json!(false)) {
            continue;
        }
        results.push(structure([
            ("Id", Some(json!(id))),
            (
                "Label",
                Some(json!(
                    query.text("Label", &ANY)?.unwrap_or(metric.need("MetricName", &NAME)?)
                )),
            ),
            (
                "Timestamps",
                Some(points.iter().map(|(at_ms, _)| timestamp(*at_ms)).collect()),
            ),
            ("Values", Some(points.iter().map(|(_, value)| json!(value)).collect())),
            ("StatusCode", Some(json!(status.unwrap_or("Complete")))),
        ]));
    }
    let size = region.metrics.page.unwrap_or(500);
    let page = page::forward(&results, size, args.text("NextToken", &ANY)?);
    let bad_token = || AwsError::new("InvalidNextToken", "The next token is invalid.");
    let (results, next) = page.ok_or_else(bad_token)?;
    Ok(structure([
        ("MetricDataResults", Some(json!(results))),
        ("Messages", Some(json!([]))),
        ("NextToken", next.map(Value::from)),
    ]))
}

/// A measurement, once or every minute.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    namespace: String,
    name: String,
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    value: f64,
    /// How long ago it was measured, or since when it has been measured every minute.
    #[serde(default)]
    minutes_ago: i64,
}

/// What can be done to metrics.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// A value is measured, once.
    Put(Measured),
    /// A value is measured every minute from now on, or has been since; it replaces what was measured every minute before.
    Steady(Measured),
    /// Everything measured is forgotten.
    Clear {},
    /// The answers to come tell nothing but this status of each result, or without one everything again; so many results are on a page of them.
    Answers { status: Option<String>, page: Option<i64> },
}

/// Does a deed.
pub(crate) fn act(region: &mut Region, deed: &Deed) {
    let now_ms = region.now_ms;
    match deed {
        Deed::Clear {} => region.metrics.series.clear(),
        Deed::Put(measured) => {
            let dimensions: Vec<(&str, &str)> = measured
                .dimensions
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let at = (now_ms - measured.minutes_ago * MINUTE, measured.value);
            region.metrics.add(&measured.namespace, &measured.name, &dimensions, at);
        }
        Deed::Steady(measured) => region.plant_metric(measured),
        Deed::Answers { status, page } => {
            region.metrics.status.clone_from(status);
            region.metrics.page = *page;
        }
    }
}

impl Region {
    /// Measures a value every minute from an instant on. What was measured until now stays measured.
    pub(crate) fn plant_metric(&mut self, measured: &Measured) {
        let now_ms = self.now_ms;
        let dimensions = measured.dimensions.clone().into_iter().collect();
        let series = self.metrics.series(&measured.namespace, &measured.name, dimensions);
        series.points = series.periods((0, now_ms), MINUTE, now_ms);
        series.steady = Some((now_ms - measured.minutes_ago * MINUTE, measured.value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::place::Place;

    fn region() -> Region {
        let mut region = Region::new(Place::home(), 0);
        region.now_ms = 20 * MINUTE;
        region
    }

    fn sum(region: &mut Region, name: &str, (from_s, until_s): (i64, i64)) -> Vec<f64> {
        let metric = json!({"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": [{"Name": "FunctionName", "Value": "f"}]});
        let query = json!({"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}});
        let args = json!({"StartTime": from_s, "EndTime": until_s, "MetricDataQueries": [query]});
        let answer = get_data(region, Args(&args)).unwrap();
        serde_json::from_value(answer["MetricDataResults"][0]["Values"].clone()).unwrap()
    }

    #[test]
    fn what_nobody_measured_is_no_point_and_not_zero() {
        let mut region = region();
        assert_eq!(sum(&mut region, "Errors", (0, 1200)), Vec::<f64>::new());
        region
            .metrics
            .add("AWS/Lambda", "Errors", &[("FunctionName", "f")], (15 * MINUTE + 1, 2.0));
        region
            .metrics
            .add("AWS/Lambda", "Errors", &[("FunctionName", "f")], (15 * MINUTE + 2, 3.0));
        assert_eq!(sum(&mut region, "Errors", (0, 1200)), [5.0]);
        assert_eq!(sum(&mut region, "Errors", (16 * 60, 1200)), Vec::<f64>::new());
    }

    #[test]
    fn what_is_not_told_has_a_status_and_no_points_and_pages_have_tokens() {
        let mut region = region();
        let dimensions = [("FunctionName", "f")];
        region
            .metrics
            .add("AWS/Lambda", "Errors", &dimensions, (15 * MINUTE, 2.0));
        let answer = |region: &mut Region, token: &Value| {
            let metric = json!({"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": [{"Name": "FunctionName", "Value": "f"}]});
            let query = |id: &str| json!({"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}});
            let args = json!({"StartTime": 0, "EndTime": 1200, "MetricDataQueries": [query("a"), query("b")], "NextToken": token});
            get_data(region, Args(&args)).unwrap()
        };
        let deed = |region: &mut Region, deed: Value| act(region, &serde_json::from_value(deed).unwrap());
        deed(&mut region, json!({"answers": {"status": "InternalError", "page": 1}}));
        let first = answer(&mut region, &Value::Null);
        assert_eq!(first["MetricDataResults"].as_array().unwrap().len(), 1);
        assert_eq!(first["MetricDataResults"][0]["StatusCode"], "InternalError");
        assert_eq!(first["MetricDataResults"][0]["Values"], json!([]));
        deed(&mut region, json!({"answers": {}}));
        let second = answer(&mut region, &first["NextToken"]);
        assert_eq!(second["MetricDataResults"][0]["Id"], "b");
        assert_eq!(second["MetricDataResults"][0]["Values"], json!([2.0]));
        assert_eq!(second["NextToken"], Value::Null);
    }

    #[test]
    fn what_is_measured_every_minute_is_measured_until_now() {
        let mut region = region();
        let deed = json!({"steady": {"namespace": "AWS/Lambda", "name": "Errors", "dimensions": {"FunctionName": "f"}, "value": 4, "minutes_ago": 3}});
        act(&mut region, &serde_json::from_value(deed).unwrap());
        assert_eq!(sum(&mut region, "Errors", (0, 3600)), [4.0; 4]);
        let counted = |name, minutes| region.metrics.counted(name, "f", (minutes, region.now_ms));
        assert_eq!(counted("Errors", 15), Some(16.0));
        assert_eq!(counted("Errors", 2), Some(8.0), "no more than was asked for");
        assert_eq!(counted("Invocations", 15), None, "what nobody measured is not zero");
    }
}

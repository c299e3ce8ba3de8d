//! Reading logs: groups, streams, lines by pattern, lines of a stream.

use serde_json::{Value, json};

use super::pattern::Pattern;
use super::{Group, Line};
use crate::aws::args::{Args, Rule};
use crate::aws::error::AwsError;
use crate::aws::page;
use crate::aws::region::Region;
use crate::aws::value::structure;

const ANY: Rule = Rule::length(0, usize::MAX);
const NAME: Rule = Rule::length(1, 512);
/// A page has at most so many lines when nobody says otherwise.
const LINES: i64 = 10_000;
/// A page also ends after so many bytes of lines.
const PAGE_BYTES: usize = 1_048_576;

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidParameterException", message)
}

fn bad_token() -> AwsError {
    invalid("The specified nextToken is invalid.")
}

fn find<'a>(region: &'a Region, args: Args<'_>) -> Result<&'a Group, AwsError> {
    let name = args.text("logGroupName", &NAME)?;
    let identifier = args.text("logGroupIdentifier", &Rule::length(1, 2048))?;
    let name = match (name, identifier) {
        (Some(name), None) | (None, Some(name)) => name,
        _ => return Err(invalid("Exactly one of logGroupName and logGroupIdentifier is needed.")),
    };
    let name = region.place.resource("logs", name);
    let name = name.strip_prefix("log-group:").unwrap_or(name).trim_end_matches(":*");
    let missing = || AwsError::new("ResourceNotFoundException", "The specified log group does not exist.");
    region.logs.0.get(name).ok_or_else(missing)
}

pub(super) fn describe_groups(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let prefix = args.text("logGroupNamePrefix", &NAME)?.unwrap_or_default();
    let part = args.text("logGroupNamePattern", &NAME)?.unwrap_or_default();
    let groups: Vec<(&String, &Group)> = region
        .logs
        .0
        .iter()
        .filter(|(name, _)| name.starts_with(prefix) && name.contains(part))
        .collect();
    let size = args.number("limit", 1, 50)?.unwrap_or(50);
    let page = page::forward(&groups, size, args.text("nextToken", &ANY)?);
    let (groups, next) = page.ok_or_else(bad_token)?;
    let shown = groups.into_iter().map(|(name, group)| {
        let arn = region.place.arn("logs", &format!("log-group:{name}"));
        let bytes: usize = group.lines.iter().map(|line| line.message.len()).sum();
        json!({"logGroupName": name, "creationTime": group.created_ms, "metricFilterCount": 0, "arn": format!("{arn}:*"),
            "logGroupArn": arn, "storedBytes": bytes, "logGroupClass": "STANDARD"})
    });
    Ok(structure([
        ("logGroups", Some(shown.collect())),
        ("nextToken", next.map(Value::from)),
    ]))
}

pub(super) fn describe_streams(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let group = find(region, args)?;
    let prefix = args.text("logStreamNamePrefix", &NAME)?.unwrap_or_default();
    let by_time = args.text("orderBy", &Rule::one_of(&["LogStreamName", "LastEventTime"]))? == Some("LastEventTime");
    if by_time && !prefix.is_empty() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let mut streams: Vec<(&str, i64, i64)> = Vec::new();
    for line in group.lines.iter().filter(|line| line.stream.starts_with(prefix)) {
        match streams.iter_mut().find(|(name, ..)| *name == line.stream) {
            Some((_, _, last_ms)) => *last_ms = line.at_ms,
            None => streams.push((&line.stream, line.at_ms, line.at_ms)),
        }
    }
    streams.sort_by_key(|(name, _, last_ms)| (if by_time { *last_ms } else { 0 }, *name));
    if args.flag("descending")? {
        streams.reverse();
    }
    let size = args.number("limit", 1, 50)?.unwrap_or(50);
    let page = page::forward(&streams, size, args.text("nextToken", &ANY)?);
    let (streams, next) = page.ok_or_else(bad_token)?;
    let shown = streams.into_iter().map(|(name, first_ms, last_ms)| {
        json!({"logStreamName": name, "creationTime": first_ms, "firstEventTimestamp": first_ms, "lastEventTimestamp": last_ms,
            "lastIngestionTime": last_ms, "storedBytes": 0})
    });
    Ok(structure([
        ("logStreams", Some(shown.collect())),
        ("nextToken", next.map(Value::from)),
    ]))
}

/// The lines between two instants: the start belongs to them, the end does not.
fn between<'a>(group: &'a Group, args: Args<'_>) -> Result<impl Iterator<Item = &'a Line> + use<'a>, AwsError> {
    let from_ms = args.number("startTime", 0, i64::MAX)?.unwrap_or(0);
    let until_ms = args.number("endTime", 0, i64::MAX)?.unwrap_or(i64::MAX);
    if from_ms > until_ms {
        return Err(invalid("Invalid parameter: startTime is after endTime."));
    }
    Ok(group
        .lines
        .iter()
        .filter(move |line| line.at_ms >= from_ms && line.at_ms < until_ms))
}

pub(super) fn filter_events(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let group = find(region, args)?;
    let text = args.text("filterPattern", &Rule::length(0, 1024))?.unwrap_or_default();
    let pattern = Pattern::parse(text).map_err(invalid)?;
    let streams = args.texts("logStreamNames")?;
    let prefix = args.text("logStreamNamePrefix", &NAME)?;
    if prefix.is_some() && !streams.is_empty() {
        return Err(invalid(
            "logStreamNames and logStreamNamePrefix cannot be used together.",
        ));
    }
    let found: Vec<&Line> = between(group, args)?
        .filter(|line| streams.is_empty() || streams.contains(&line.stream.as_str()))
        .filter(|line| prefix.is_none_or(|prefix| line.stream.starts_with(prefix)))
        .filter(|line| pattern.fits(&line.message))
        .collect();
    let token = args.text("nextToken", &ANY)?;
    // A page is empty when nothing in what was read for it fits.
    let empty = match token.map(|token| token.strip_prefix("e/")) {
        None => Some(0),
        Some(seen) => seen.and_then(|seen| seen.parse::<u64>().ok()),
    };
    if let Some(seen) = empty.filter(|seen| *seen < group.empty_pages) {
        let next = json!(format!("e/{}", seen + 1));
        return Ok(json!({ "events": [], "searchedLogStreams": [], "nextToken": next }));
    }
    // The token names the last line that was shown: lines that come later do not shift the pages.
    let after = token
        .filter(|_| empty.is_none())
        .map(token_number)
        .transpose()?
        .unwrap_or(0);
    let from = if after == 0 {
        0
    } else {
        found
            .iter()
            .position(|line| line.number == after)
            .ok_or_else(bad_token)?
            + 1
    };
    let most = usize::try_from(args.number("limit", 1, LINES)?.unwrap_or(LINES)).unwrap_or(1);
    let shown = first(&found[from..], most);
    let next = shown.last().filter(|_| from + shown.len() < found.len());
    let next = next.map(|line| json!(format!("f/{}", line.number)));
    let events = shown.iter().map(|line| {
        json!({"logStreamName": line.stream, "timestamp": line.at_ms, "message": line.message, "ingestionTime": line.at_ms,
            "eventId": format!("{:056}", line.number)})
    });
    Ok(structure([
        ("events", Some(events.collect())),
        ("searchedLogStreams", Some(json!([]))),
        ("nextToken", next),
    ]))
}

/// Where a page of a stream begins: a token, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// At one end of the stream, after so many empty pages.
    End(u64),
    /// Behind the line of this number, or in front of it.
    Behind(u64),
    Before(u64),
}

impl Start {
    /// Tokens are `f/7` and `b/7` beside a line, `f/e3` and `b/e3` after empty pages.
    fn read(token: Option<&str>) -> Result<Self, AwsError> {
        let Some(token) = token else { return Ok(Self::End(0)) };
        let (way, at) = token.split_once('/').ok_or_else(bad_token)?;
        if let Some(pages) = at.strip_prefix('e').filter(|_| matches!(way, "f" | "b")) {
            return pages.parse().map(Self::End).map_err(|_| bad_token());
        }
        let number = at.parse().map_err(|_| bad_token())?;
        match way {
            "f" => Ok(Self::Behind(number)),
            "b" => Ok(Self::Before(number)),
            _ => Err(bad_token()),
        }
    }
}

/// `GetLogEvents`: a page of a stream, oldest line first, from its end or its head. At an end of the stream the token comes back as it was sent: that is
/// how a reader knows.
pub(super) fn get_events(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let group = find(region, args)?;
    let stream = args.need("logStreamName", &NAME)?;
    if !group.lines.iter().any(|line| line.stream == stream) {
        let message = "The specified log stream does not exist.";
        return Err(AwsError::new("ResourceNotFoundException", message));
    }
    let lines: Vec<&Line> = between(group, args)?.filter(|line| line.stream == stream).collect();
    let most = usize::try_from(args.number("limit", 1, LINES)?.unwrap_or(LINES)).unwrap_or(1);
    let (token, head) = (args.text("nextToken", &ANY)?, args.flag("startFromHead")?);
    let place = |number: u64| {
        lines
            .iter()
            .position(|line| line.number == number)
            .ok_or_else(bad_token)
    };
    let shown = match Start::read(token)? {
        Start::End(seen) if seen < group.empty_pages => {
            let next = seen + 1;
            return Ok(
                json!({ "events": [], "nextForwardToken": format!("f/e{next}"), "nextBackwardToken": format!("b/e{next}") }),
            );
        }
        Start::End(_) if head => first(&lines, most),
        Start::End(_) => last(&lines, most),
        Start::Behind(number) => first(&lines[place(number)? + 1..], most),
        Start::Before(number) => last(&lines[..place(number)?], most),
    };
    let events = shown
        .iter()
        .map(|line| json!({"timestamp": line.at_ms, "message": line.message, "ingestionTime": line.at_ms}));
    let edge = |way: &str, line: Option<&&Line>| match (line, token) {
        (Some(line), _) => format!("{way}/{}", line.number),
        (None, Some(token)) => format!("{way}/{}", token.split_once('/').map_or("e0", |(_, at)| at)),
        (None, None) => format!("{way}/e0"),
    };
    Ok(json!({
        "events": events.collect::<Vec<_>>(),
        "nextForwardToken": edge("f", shown.last()),
        "nextBackwardToken": edge("b", shown.first()),
    }))
}

/// The first lines that fit into a page.
fn first<'l>(lines: &'l [&'l Line], most: usize) -> &'l [&'l Line] {
    &lines[..fitting(lines.iter(), most)]
}

/// The last lines that fit into a page.
fn last<'l>(lines: &'l [&'l Line], most: usize) -> &'l [&'l Line] {
    &lines[lines.len() - fitting(lines.iter().rev(), most)..]
}

/// How many lines a page takes, by number and by size.
fn fitting<'l>(lines: impl Iterator<Item = &'l &'l Line>, most: usize) -> usize {
    let mut bytes = 0;
    let fits = |line: &&&Line| {
        bytes += line.message.len();
        bytes <= PAGE_BYTES
    };
    lines.take(most).take_while(fits).count()
}

fn token_number(token: &str) -> Result<u64, AwsError> {
    let number = token.strip_prefix("f/");
    number.and_then(|number| number.parse().ok()).ok_or_else(bad_token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::place::Place;

    fn region(lines: usize) -> Region {
        let mut region = Region::new(Place::home(), 0);
        for number in 0..lines {
            let at_ms = 1_000 + i64::try_from(number).unwrap();
            region.logs.append(
                "app",
                if number % 2 == 0 { "even" } else { "odd" },
                &[format!("line {number}")],
                at_ms,
            );
        }
        region
    }

    fn filter(region: &mut Region, args: Value) -> (Vec<String>, Option<String>) {
        let answer = filter_events(region, Args(&args)).unwrap();
        let messages = answer["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["message"].as_str().unwrap().to_owned());
        (messages.collect(), answer["nextToken"].as_str().map(str::to_owned))
    }

    #[test]
    fn pages_are_not_shifted_by_lines_that_come_meanwhile() {
        let mut region = region(5);
        let (first, token) = filter(&mut region, json!({"logGroupName": "app", "limit": 3}));
        assert_eq!(first.len(), 3);
        region.logs.append("app", "late", &["earlier than all".to_owned()], 0);
        let (rest, none) = filter(
            &mut region,
            json!({"logGroupName": "app", "limit": 3, "nextToken": token}),
        );
        assert_eq!((rest, none), (vec!["line 3".to_owned(), "line 4".to_owned()], None));
    }

    #[test]
    fn the_start_of_a_time_span_belongs_to_it_and_its_end_does_not() {
        let mut region = region(5);
        let (lines, _) = filter(
            &mut region,
            json!({"logGroupName": "app", "startTime": 1_001, "endTime": 1_003}),
        );
        assert_eq!(lines, ["line 1", "line 2"]);
        let args = json!({"logGroupName": "app", "startTime": 5, "endTime": 4});
        assert_eq!(
            filter_events(&mut region, Args(&args)).unwrap_err().code,
            "InvalidParameterException"
        );
    }

    #[test]
    fn a_stream_is_read_forward_until_its_token_stays() {
        let mut region = region(10);
        let mut args = json!({"logGroupName": "app", "logStreamName": "odd", "startFromHead": true, "limit": 2});
        let mut seen = Vec::new();
        loop {
            let page = get_events(&mut region, Args(&args)).unwrap();
            seen.extend(
                page["events"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|event| event["message"].clone()),
            );
            if page["nextForwardToken"] == args["nextToken"] {
                break;
            }
            args["nextToken"] = page["nextForwardToken"].clone();
        }
        assert_eq!(seen, ["line 1", "line 3", "line 5", "line 7", "line 9"]);
        let newest = get_events(
            &mut region,
            Args(&json!({"logGroupName": "app", "logStreamName": "odd", "limit": 2})),
        )
        .unwrap();
        let args = json!({"logGroupName": "app", "logStreamName": "odd", "limit": 2, "nextToken": newest["nextBackwardToken"]});
        assert_eq!(
            get_events(&mut region, Args(&args)).unwrap()["events"][1]["message"],
            "line 5",
            "backward from the newest"
        );
        let none = json!({"logGroupName": "app", "logStreamName": "none"});
        assert_eq!(
            get_events(&mut region, Args(&none)).unwrap_err().code,
            "ResourceNotFoundException"
        );
    }
    /// The lines of a page of the stream `odd`, and the tokens of its pages before and behind.
    fn page(region: &mut Region, more: &Value) -> (Vec<String>, String, String) {
        let mut args = json!({"logGroupName": "app", "logStreamName": "odd", "limit": 2});
        for (name, value) in more.as_object().unwrap() {
            args[name] = value.clone();
        }
        let told = get_events(region, Args(&args)).unwrap();
        let token = |name: &str| told[name].as_str().unwrap().to_owned();
        let events = told["events"].as_array().unwrap().iter();
        let lines = events
            .map(|event| event["message"].as_str().unwrap().to_owned())
            .collect();
        (lines, token("nextBackwardToken"), token("nextForwardToken"))
    }

    #[test]
    fn a_stream_is_read_backward_until_its_token_stays() {
        let mut region = region(10);
        region.logs.create("app", 0).empty_pages = 2;
        let (mut token, mut seen, mut pages) = (None::<String>, Vec::new(), 0);
        loop {
            let ask = token
                .as_ref()
                .map_or_else(|| json!({}), |token| json!({ "nextToken": token }));
            let (lines, back, _) = page(&mut region, &ask);
            seen.push(lines);
            pages += 1;
            // What is written meanwhile, also late, shifts nothing.
            region.logs.append("app", "odd", &["late".to_owned()], 1_000);
            if token.as_ref() == Some(&back) {
                break;
            }
            token = Some(back);
        }
        assert_eq!(&seen[..2], [Vec::<String>::new(), Vec::new()], "two pages are empty");
        assert_eq!(seen[2], ["line 7", "line 9"]);
        assert_eq!(seen[3], ["line 3", "line 5"]);
        assert!(pages > 5 && seen[4].contains(&"line 1".to_owned()));
        let (forward, _, next) = page(
            &mut region,
            &json!({ "nextToken": token, "startFromHead": true, "limit": 1 }),
        );
        assert_eq!(
            (forward.len(), next.starts_with("f/")),
            (0, true),
            "nothing is before its first line"
        );
        for odd in ["7", "x/1", "f/x", "b/999"] {
            let args = json!({"logGroupName": "app", "logStreamName": "odd", "nextToken": odd});
            assert_eq!(
                get_events(&mut region, Args(&args)).unwrap_err().code,
                "InvalidParameterException",
                "{odd}"
            );
        }
    }

    #[test]
    fn a_page_ends_after_a_megabyte() {
        let mut region = Region::new(Place::home(), 0);
        let long = "x".repeat(400_000);
        region.logs.append("app", "odd", &[long.clone(), long.clone(), long], 0);
        let (lines, back, _) = page(&mut region, &json!({ "limit": 10 }));
        assert_eq!(lines.len(), 2);
        assert_eq!(page(&mut region, &json!({ "limit": 10, "nextToken": back })).0.len(), 1);
    }
}

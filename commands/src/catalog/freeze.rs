//! Freeze windows: recurring by the week, or dated, in the service's own zone.
//!
//! A window is written in local time and means local time: "Fri 15:00" is three in the afternoon on every Friday of the year, on both sides of a
//! change of the clocks. Local times that a change skips are taken an hour later; times that happen twice are taken at their first.

use chrono::{Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;

use crate::time::{Span, Timestamp};

/// A freeze that comes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// When.
    pub when: When,
    /// Why; people read it.
    pub reason: String,
    /// For these environments only; empty: all of the service.
    pub environments: Vec<crate::ids::EnvironmentId>,
}

/// When a window is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// From a weekday and time to a weekday and time, each week; may run over the end of the week.
    Weekly {
        /// Its start.
        from: (Weekday, NaiveTime),
        /// Its end, exclusive.
        to: (Weekday, NaiveTime),
    },
    /// Once.
    Dated {
        /// Its start.
        from: NaiveDateTime,
        /// Its end, exclusive.
        to: NaiveDateTime,
    },
}

/// What is wrong with a window's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a window: write {expected}")]
pub struct WindowError {
    text: String,
    expected: &'static str,
}

const WEEKLY: &str = "`Fri 15:00 - Mon 08:00`";
const DATED: &str = "`2026-12-20 - 2027-01-04` (both days included) or `2026-12-20 12:00 - 2026-12-21 08:00`";

impl When {
    /// Reads `Fri 15:00 - Mon 08:00`.
    ///
    /// # Errors
    /// When it does not look like that, or starts when it ends.
    pub fn weekly(text: &str) -> Result<Self, WindowError> {
        let fail = || WindowError {
            text: text.to_owned(),
            expected: WEEKLY,
        };
        let moment = |part: &str| -> Option<(Weekday, NaiveTime)> {
            let (day, time) = part.trim().split_once(' ')?;
            Some((day.parse().ok()?, clock_time(time.trim())?))
        };
        let (from, to) = text.split_once(" - ").ok_or_else(fail)?;
        let (from, to) = (moment(from).ok_or_else(fail)?, moment(to).ok_or_else(fail)?);
        if from == to {
            Err(fail())
        } else {
            Ok(Self::Weekly { from, to })
        }
    }

    /// Reads `2026-12-20 - 2027-01-04`, with or without times.
    ///
    /// # Errors
    /// When it does not look like that, or ends before it starts.
    pub fn dated(text: &str) -> Result<Self, WindowError> {
        let fail = || WindowError {
            text: text.to_owned(),
            expected: DATED,
        };
        let moment = |part: &str, end: bool| -> Option<NaiveDateTime> {
            let part = part.trim();
            if let Some((day, time)) = part.split_once(' ') {
                return Some(day.parse::<NaiveDate>().ok()?.and_time(clock_time(time.trim())?));
            }
            let day = part.parse::<NaiveDate>().ok()?;
            let day = if end { day.checked_add_days(Days::new(1))? } else { day };
            Some(day.and_time(NaiveTime::MIN))
        };
        let (from, to) = text.split_once(" - ").ok_or_else(fail)?;
        let (from, to) = (
            moment(from, false).ok_or_else(fail)?,
            moment(to, true).ok_or_else(fail)?,
        );
        if from < to {
            Ok(Self::Dated { from, to })
        } else {
            Err(fail())
        }
    }

    /// If the window is open at `now`, until when.
    #[must_use]
    pub fn open_until(&self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        let (from, to) = self.around(now, zone)?;
        (from <= now && now < to).then_some(to)
    }

    /// The occurrence that contains `now`, or the next one.
    fn around(&self, now: Timestamp, zone: Tz) -> Option<(Timestamp, Timestamp)> {
        match self {
            Self::Dated { from, to } => Some((instant(*from, zone)?, instant(*to, zone)?)).filter(|(_, to)| now < *to),
            Self::Weekly { from, to } => {
                let today = zone.from_utc_datetime(&now.utc().naive_utc()).date_naive();
                // An occurrence that started up to a week ago may still be open.
                (-7..=7).find_map(|offset| {
                    let start = today.checked_add_signed(chrono::TimeDelta::days(offset))?;
                    if start.weekday() != from.0 {
                        return None;
                    }
                    let days = (7 + to.0.num_days_from_monday() - from.0.num_days_from_monday()) % 7;
                    let days = if days == 0 && to.1 <= from.1 { 7 } else { days };
                    let end = start.checked_add_days(Days::new(u64::from(days)))?;
                    let span = (
                        instant(start.and_time(from.1), zone)?,
                        instant(end.and_time(to.1), zone)?,
                    );
                    (now < span.1).then_some(span)
                })
            }
        }
    }
}

/// The next instant after `now` at which any of these windows opens or closes: the card is drawn again then.
#[must_use]
pub fn next_change(windows: &[Window], now: Timestamp, zone: Tz) -> Option<Timestamp> {
    windows
        .iter()
        .filter_map(|window| window.when.around(now, zone))
        .map(|(from, to)| if now < from { from } else { to })
        .min()
}

fn clock_time(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").ok()
}

/// The instant at which the wall shows `local`.
fn instant(local: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(Timestamp(at.timestamp_millis())),
        LocalResult::None => {
            let later = local.checked_add_signed(chrono::TimeDelta::hours(1))?;
            zone.from_local_datetime(&later)
                .earliest()
                .map(|at| Timestamp(at.timestamp_millis()) + Span(0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn at(text: &str) -> Timestamp {
        Timestamp(
            DateTime::parse_from_rfc3339(text)
                .expect("an instant")
                .timestamp_millis(),
        )
    }

    #[test]
    fn the_weekend_is_closed_in_local_time() {
        let weekend = When::weekly("Fri 15:00 - Mon 08:00").expect("a window");
        let zone = chrono_tz::America::Sao_Paulo;
        let end = Some(at("2026-11-23T08:00:00-03:00"));
        assert_eq!(weekend.open_until(at("2026-11-20T14:59:59-03:00"), zone), None);
        assert_eq!(weekend.open_until(at("2026-11-20T15:00:00-03:00"), zone), end);
        assert_eq!(weekend.open_until(at("2026-11-23T07:59:59-03:00"), zone), end);
        assert_eq!(weekend.open_until(at("2026-11-23T08:00:00-03:00"), zone), None);
    }

    #[test]
    fn a_window_keeps_its_wall_time_over_a_change_of_clocks() {
        let nightly = When::weekly("Sat 22:00 - Sun 03:30").expect("a window");
        let zone = chrono_tz::America::New_York;
        // The clocks go forward at 02:00 on 2026-03-08 and back at 02:00 on 2026-11-01.
        assert_eq!(
            nightly.open_until(at("2026-03-08T01:30:00-05:00"), zone),
            Some(at("2026-03-08T03:30:00-04:00"))
        );
        assert_eq!(
            nightly.open_until(at("2026-11-01T01:30:00-05:00"), zone),
            Some(at("2026-11-01T03:30:00-05:00"))
        );
        let gap = When::weekly("Sun 02:30 - Sun 05:00").expect("a window");
        assert_eq!(gap.open_until(at("2026-03-08T03:29:00-04:00"), zone), None);
        assert!(gap.open_until(at("2026-03-08T03:30:00-04:00"), zone).is_some());
    }

    #[test]
    fn a_window_within_one_day_and_one_of_a_whole_week() {
        let lunch = When::weekly("Wed 12:00 - Wed 13:00").expect("a window");
        assert!(lunch.open_until(at("2026-11-18T12:30:00Z"), Tz::UTC).is_some());
        assert!(lunch.open_until(at("2026-11-18T13:30:00Z"), Tz::UTC).is_none());
        let nearly_always = When::weekly("Wed 13:00 - Wed 12:00").expect("a window");
        assert!(nearly_always.open_until(at("2026-11-18T11:00:00Z"), Tz::UTC).is_some());
        assert!(nearly_always.open_until(at("2026-11-18T12:30:00Z"), Tz::UTC).is_none());
    }

    #[test]
    fn dated_windows_include_their_last_day() {
        let holidays = When::dated("2026-12-20 - 2027-01-04").expect("a window");
        let zone = chrono_tz::Europe::Berlin;
        assert_eq!(
            holidays.open_until(at("2027-01-04T23:59:59+01:00"), zone),
            Some(at("2027-01-05T00:00:00+01:00"))
        );
        assert_eq!(holidays.open_until(at("2026-12-19T23:59:59+01:00"), zone), None);
        assert!(When::dated("2027-01-04 - 2026-12-20").is_err());
        assert!(When::weekly("Friday afternoon").is_err());
    }

    #[test]
    fn the_next_change_is_an_opening_or_a_closing() {
        let window = Window {
            when: When::weekly("Fri 15:00 - Mon 08:00").expect("a window"),
            reason: String::new(),
            environments: vec![],
        };
        let change = |now| next_change(std::slice::from_ref(&window), at(now), Tz::UTC);
        assert_eq!(change("2026-11-19T00:00:00Z"), Some(at("2026-11-20T15:00:00Z")));
        assert_eq!(change("2026-11-21T00:00:00Z"), Some(at("2026-11-23T08:00:00Z")));
    }
}
